package fovea.core.ui

/** The state after [event]; pure, so that every screen can be tested without a phone. */
fun reduce(state: State, event: Event): State = when (event) {
    is Event.BundlesFound -> state.copy(names = event.names)
    is Event.Began -> state.copy(busy = event.text)
    is Event.BundleOpened -> opened(state, event.facts)
    is Event.BundleRefused -> withoutBundle(state).told(event.message, problem = true)
    is Event.EngineReady -> event.notices.fold(state.copy(recipe = event.recipe, busy = null)) { told, text ->
        told.told(text, problem = false)
    }
    is Event.EngineFailed -> withoutPicture(state).copy(recipe = null, busy = null).told(event.message, problem = true)
    is Event.ScreenChosen -> shown(state, event.screen)
    is Event.OpacityChosen -> state.copy(opacityPercent = event.percent.coerceIn(0, 100))
    is Event.LookChosen -> state.copy(look = if (state.bundle?.canCutOut == true) event.look else Look.LAYER)
    is Event.Predicted -> predicted(state, event)
    is Event.Told -> state.told(event.text, problem = false)
    is Event.Failed -> state.copy(busy = null).told(event.message, problem = true)
    is Event.CameraChanged -> camera(state, event)
    is Event.CheckBegan -> state.copy(checks = emptyList(), busy = "Running golden vectors")
    is Event.Checked -> state.copy(checks = state.checks + event.line)
    is Event.BenchmarkBegan -> state.copy(measured = emptyList(), busy = "Measuring")
    is Event.Measured -> state.copy(measured = state.measured + event.line)
    is Event.Ended -> state.copy(busy = null)
    is Event.NoticesRead -> state.copy(notices = emptyList())
}

private fun opened(state: State, facts: BundleFacts): State = withoutBundle(state).copy(
    bundle = facts,
    busy = state.busy,
    look = if (facts.canCutOut) state.look else Look.LAYER,
)

/** Nothing of one bundle may be shown beside the name of another. */
private fun withoutBundle(state: State): State = withoutPicture(state).copy(
    bundle = null,
    recipe = null,
    busy = null,
    checks = emptyList(),
    measured = emptyList(),
)

private fun withoutPicture(state: State): State = state.copy(legend = emptyList(), times = null, hasPicture = false)

private fun shown(state: State, screen: Screen): State {
    if (screen == state.screen) return state
    // Photo and camera draw on one stage: what the other left there would be taken for its own.
    val emptied = if (screen == Screen.PHOTO || screen == Screen.CAMERA) withoutPicture(state) else state
    return emptied.copy(screen = screen)
}

private fun predicted(state: State, event: Event.Predicted): State {
    if (state.recipe == null) return state
    return state.copy(times = event.times, legend = event.legend, hasPicture = true)
}

private fun camera(state: State, event: Event.CameraChanged): State {
    val changed = state.copy(camera = event.camera)
    return event.message?.let { changed.told(it, problem = true) } ?: changed
}

/** Each notice once: a camera repeats itself many times a second. */
private fun State.told(text: String, problem: Boolean): State {
    val notice = Notice(text, problem)
    return if (notice in notices) this else copy(notices = notices + notice)
}
