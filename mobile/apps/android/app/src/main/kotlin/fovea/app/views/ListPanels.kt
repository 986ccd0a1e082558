package fovea.app.views

import android.content.Context
import android.view.View
import android.widget.LinearLayout
import android.widget.ScrollView
import fovea.core.session.Session
import fovea.core.ui.CheckLine
import fovea.core.ui.State
import fovea.core.ui.checkSummary

/** Golden vectors of every file of the bundle, run on this phone. */
class CheckPanel(private val context: Context, session: Session) {
    private val run = context.button("Run golden vectors") { session.check() }
    private val summary = context.text(16f, bold = true)
    private val lines = context.column()

    val view: View = context.column(context.row(run), summary, scrolled(context, lines))

    fun render(state: State) {
        run.isEnabled = state.idle && state.bundle != null
        summary.text = if (state.idle) checkSummary(state.checks) ?: about(state) else ""
        lines.removeAllViews()
        state.checks.forEach { lines.addView(context.text(colour = if (it.passed == true) GOOD else BAD).apply { text = told(it) }) }
    }

    private fun about(state: State): String =
        state.bundle?.let { "${it.goldenVectors} golden vectors, ${it.recipes.size} files." } ?: "No bundle is open."

    private fun told(line: CheckLine): String {
        val sign = if (line.passed == true) "✓" else "✗"
        return "$sign ${line.recipe} ${line.golden}\n${line.text}"
    }
}

/** Times of every file of the bundle, measured on this phone. */
class BenchmarkPanel(private val context: Context, session: Session, save: () -> Unit) {
    private val run = context.button("Measure") { session.benchmark() }
    private val stop = context.button("Stop") { session.stopBenchmark() }
    private val keep = context.button("Save rows …", save)
    private val lines = context.column()
    private val note = context.text(colour = QUIET).apply {
        text = "Three repeats of twenty runs of each file, each repeat after the battery has cooled to 37 °C or a minute " +
            "of waiting. The rows are those that `fovea compare` reads."
    }

    val view: View = context.column(context.row(run, stop, keep), note, scrolled(context, lines))

    fun render(state: State) {
        run.isEnabled = state.ready
        stop.isEnabled = state.busy != null
        keep.isEnabled = state.idle && state.measured.any { it.row != null }
        lines.removeAllViews()
        state.measured.forEach { measured ->
            val colour = if (measured.row != null) INK else BAD
            lines.addView(context.text(colour = colour).apply { text = "${measured.recipe}\n${measured.text}" })
        }
    }
}

/** Where the model comes from. */
class AboutPanel(context: Context) {
    private val lines = context.text()

    val view: View = scrolled(context, lines)

    fun render(state: State) {
        val bundle = state.bundle
        lines.text = if (bundle == null) {
            "No bundle is open."
        } else {
            val files = bundle.recipes.joinToString("\n") { "${it.text}, ${it.backend}, ${it.precision}" }
            "${bundle.name}\n${bundle.task}, input ${bundle.size}\n\n${bundle.source}\n\n$files"
        }
    }
}

private fun scrolled(context: Context, content: View): View = ScrollView(context).apply {
    addView(content)
    layoutParams = LinearLayout.LayoutParams(LinearLayout.LayoutParams.MATCH_PARENT, 0, 1f)
}
