package fovea.app.views

import android.content.Context
import android.graphics.Typeface
import android.view.View
import android.view.ViewGroup
import android.widget.AdapterView
import android.widget.ArrayAdapter
import android.widget.Button
import android.widget.Spinner
import android.widget.TextView
import fovea.core.session.Session
import fovea.core.ui.Notice
import fovea.core.ui.Screen
import fovea.core.ui.State

private const val CLOSED_SIZE = 13f

/** Which bundle, which recipe, which screen; what is being done, and notices. */
class Header(private val context: Context, private val session: Session) {
    private val bundles = Choice(context) { session.chooseBundle(it) }
    private val recipes = Choice(context) { session.chooseRecipe(it) }
    private val tabs: Map<Screen, Button> = Screen.entries.associateWith { screen ->
        context.tab(screen.title) { session.chooseScreen(screen) }
    }
    private val busy = context.text(colour = QUIET)
    private val notices = context.column()
    private var told: List<Notice> = emptyList()
    private val read = context.button("OK") { session.readNotices() }

    val view: View = context.column(
        context.row(bundles.spinner.stretched(), recipes.spinner.stretched()),
        context.row(*tabs.values.toTypedArray()),
        busy,
        notices,
        context.row(read),
    )

    fun render(state: State) {
        bundles.offer(state.names.map { it to it }, state.bundle?.name, state.idle)
        recipes.offer(state.bundle?.recipes.orEmpty().map { it.name to it.text }, state.recipe, state.idle)
        tabs.forEach { (screen, tab) ->
            tab.typeface = if (screen == state.screen) Typeface.DEFAULT_BOLD else Typeface.DEFAULT
            tab.isSelected = screen == state.screen
        }
        busy.text = state.busy?.let { "$it …" } ?: ""
        busy.shown = state.busy != null
        if (state.notices != told) tell(state.notices)
        read.shown = state.notices.isNotEmpty()
    }

    private fun tell(fresh: List<Notice>) {
        told = fresh
        notices.removeAllViews()
        fresh.forEach { notice ->
            notices.addView(context.text(colour = if (notice.problem) BAD else QUIET).apply { text = notice.text })
        }
    }
}

/** A spinner that tells only what a person chose. */
private class Choice(context: Context, private val chosen: (String) -> Unit) {
    private val titles = object : ArrayAdapter<String>(context, android.R.layout.simple_spinner_dropdown_item) {
        // Two spinners share a line: their closed form is smaller than their list.
        override fun getView(position: Int, reused: View?, parent: ViewGroup): View =
            super.getView(position, reused, parent).also { (it as TextView).textSize = CLOSED_SIZE }
    }
    private var names: List<String> = emptyList()
    private var current: String? = null

    val spinner = Spinner(context).apply {
        adapter = titles
        onItemSelectedListener = object : AdapterView.OnItemSelectedListener {
            override fun onItemSelected(parent: AdapterView<*>?, view: View?, position: Int, id: Long) {
                val name = names.getOrNull(position) ?: return
                if (name != current) chosen(name)
            }

            override fun onNothingSelected(parent: AdapterView<*>?) = Unit
        }
    }

    fun offer(options: List<Pair<String, String>>, selected: String?, enabled: Boolean) {
        val fresh = options.map { it.first }
        current = selected
        if (fresh != names) {
            names = fresh
            titles.clear()
            titles.addAll(options.map { it.second })
        }
        val position = names.indexOf(selected)
        if (position >= 0 && position != spinner.selectedItemPosition) spinner.setSelection(position)
        spinner.isEnabled = enabled
    }
}
