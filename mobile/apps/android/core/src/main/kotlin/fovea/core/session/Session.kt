package fovea.core.session

import fovea.core.FoveaError
import fovea.core.bundle.Artefact
import fovea.core.bundle.Bundle
import fovea.core.bundle.readIndex
import fovea.core.image.Pixels
import fovea.core.layer.Palette
import fovea.core.layer.cutOut
import fovea.core.run.Prediction
import fovea.core.run.Predictor
import fovea.core.run.openWithFallback
import fovea.core.run.runnable
import fovea.core.ui.BundleFacts
import fovea.core.ui.Camera
import fovea.core.ui.Event
import fovea.core.ui.Look
import fovea.core.ui.Screen
import fovea.core.ui.State
import fovea.core.ui.reduce
import java.util.concurrent.Executor
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.atomic.AtomicBoolean

/**
 * What the app does, without a screen. Work is done one piece after the other by [worker]; the state
 * changes, and [changed] and [shown] are called, by [main] alone.
 */
class Session(
    private val device: Device,
    private val worker: Executor,
    private val main: Executor,
    private val palette: Palette = Palette.shared,
) {
    @Volatile // written by main, read by the worker, too
    var state = State()
        private set
    var changed: (State) -> Unit = {}
    var shown: (Shown?) -> Unit = {}

    private var bundle: Bundle? = null
    private var loaded: Loaded? = null
    private var photo: Pixels? = null
    private var last: Pair<Pixels, Prediction>? = null
    private val stop = AtomicBoolean()
    private val frameFree = AtomicBoolean(true)

    /** Finds the bundles and opens the first. */
    fun start() = work("Looking for bundles") {
        val names = readIndex(device.shelf())
        say(Event.BundlesFound(names))
        open(names.first())
    }

    fun chooseBundle(name: String) = work("Checking the files of $name") { open(name) }

    fun chooseRecipe(recipe: String) = work("Loading $recipe") {
        val opened = bundle ?: throw FoveaError("No bundle is open; choose one first.")
        val artefact = opened.manifest.artefact(recipe) ?: throw FoveaError("The bundle has no $recipe; choose another.")
        load(opened, artefact)
        lookAgain()
    }

    fun chooseScreen(screen: Screen) {
        if (screen == state.screen) return
        stop.set(true)
        dispatch(Event.ScreenChosen(screen))
        shown(null)
        worker.execute {
            last = null
            guarded { lookAgain() }
        }
    }

    fun chooseOpacity(percent: Int) = dispatch(Event.OpacityChosen(percent))

    fun chooseLook(look: Look) {
        dispatch(Event.LookChosen(look))
        worker.execute { guarded { last?.let { (pixels, prediction) -> show(pixels, prediction, state.screen) } } }
    }

    fun readNotices() = dispatch(Event.NoticesRead)

    /** What became of the camera. */
    fun camera(camera: Camera, message: String? = null) = dispatch(Event.CameraChanged(camera, message))

    /**
     * Reads a photograph, on the worker, and shows what the model says of it. It waits for whatever is
     * being done: a system short of memory may start the app anew while a person chooses.
     */
    fun predict(read: (tell: (String) -> Unit) -> Pixels) = begin("Looking at the photograph") {
        val pixels = read { say(Event.Told(it)) }
        photo = pixels
        look(pixels)
    }

    /** Does something that ends with a word to the person. */
    fun tell(act: () -> String) = work("Saving") { say(Event.Told(act())) }

    /**
     * A camera's frame, from the camera's thread, which makes pixels of it while the worker looks at the
     * one before; of those that come meanwhile all but one are dropped.
     */
    fun frame(read: () -> Pixels?) {
        if (!frameFree.compareAndSet(true, false)) return
        val pixels = try {
            read()
        } catch (_: RuntimeException) { // the camera closed while its frame was read
            null
        }
        if (pixels == null) {
            frameFree.set(true)
            return
        }
        try {
            worker.execute {
                frameFree.set(true)
                guarded { if (state.screen == Screen.CAMERA && loaded != null) look(pixels) }
            }
        } catch (_: RejectedExecutionException) { // the app closed meanwhile
            return
        }
    }

    /** Runs every golden vector of every file. */
    fun check() = whole(Event.CheckBegan) { opened, artefacts ->
        for (artefact in artefacts) checked(device, opened, artefact).forEach { say(Event.Checked(it)) }
    }

    /** Times every file and keeps the rows. */
    fun benchmark() = whole(Event.BenchmarkBegan) { opened, artefacts ->
        for (artefact in artefacts) say(Event.Measured(measured(device, opened, artefact, stop::get) ?: break))
    }

    fun stopBenchmark() = stop.set(true)

    /** Frees the engine once all that was begun has ended. */
    fun close() {
        stop.set(true)
        worker.execute { unload() }
    }

    private fun whole(began: Event, act: (Bundle, List<Artefact>) -> Unit) {
        if (!state.idle) return
        stop.set(false)
        dispatch(began)
        worker.execute {
            guarded {
                val opened = bundle ?: throw FoveaError("No bundle is open; choose one first.")
                act(opened, runnable(opened.manifest, device.backends))
            }
            say(Event.Ended)
        }
    }

    private fun open(name: String) {
        unload()
        bundle = null
        last = null
        main.execute { shown(null) }
        val opened = try {
            Bundle.open(device.bundle(name))
        } catch (error: FoveaError) {
            return say(Event.BundleRefused(error.message ?: name))
        }
        val artefacts = runnable(opened.manifest, device.backends)
        bundle = opened
        say(Event.BundleOpened(BundleFacts.of(opened, device.backends)))
        val smallest = artefacts.minByOrNull { it.bytes } ?: return say(
            Event.EngineFailed(
                "$name holds no file for ${device.backends.joinToString(" or ")}; export one and install it again.",
            ),
        )
        load(opened, smallest)
        lookAgain()
    }

    private fun load(opened: Bundle, wanted: Artefact) {
        unload()
        try {
            val artefacts = runnable(opened.manifest, device.backends)
            val found = openWithFallback(wanted, artefacts, device.threads, device.opener(opened))
            val predictor = Predictor(opened.manifest, found.artefact, found.engine, palette)
            loaded = Loaded(found.engine, predictor)
            say(Event.EngineReady(found.artefact.recipe, found.notices))
        } catch (error: FoveaError) {
            say(Event.EngineFailed(error.message ?: wanted.recipe))
        }
    }

    private fun unload() {
        loaded?.engine?.close()
        loaded = null
    }

    private fun look(pixels: Pixels) {
        val screen = state.screen
        val prediction = (loaded ?: return).predictor.predict(pixels)
        last = pixels to prediction
        show(pixels, prediction, screen)
        onScreen(screen) { dispatch(Event.Predicted(prediction.times, prediction.legend)) }
    }

    /** What was made for one screen may come when another is shown. */
    private fun onScreen(screen: Screen, act: () -> Unit) = main.execute { if (state.screen == screen) act() }

    private fun lookAgain() {
        if (state.screen == Screen.PHOTO) photo?.let(::look)
    }

    private fun show(pixels: Pixels, prediction: Prediction, screen: Screen) {
        val cut = if (state.look == Look.CUT_OUT) cutOut(pixels, prediction.map) else null
        val made = Shown(pixels, prediction.layer, cut, smooth = prediction.legend.isEmpty())
        onScreen(screen) { shown(made) }
    }

    private fun work(text: String, act: () -> Unit) {
        if (state.idle) begin(text, act)
    }

    private fun begin(text: String, act: () -> Unit) {
        dispatch(Event.Began(text))
        worker.execute {
            guarded(act)
            say(Event.Ended)
        }
    }

    private fun guarded(act: () -> Unit) {
        try {
            act()
        } catch (error: FoveaError) {
            say(Event.Failed(error.message ?: "Something failed."))
        } catch (error: OutOfMemoryError) {
            say(Event.Failed("This phone's memory is too small for that; choose a smaller photograph or recipe."))
        } catch (error: RuntimeException) { // a runtime's own words are all there is to say
            say(Event.Failed("The model did not run (${error.message ?: error.javaClass.simpleName}); choose another recipe."))
        }
    }

    private fun say(event: Event) = main.execute { dispatch(event) }

    private fun dispatch(event: Event) {
        state = reduce(state, event)
        changed(state)
    }
}
