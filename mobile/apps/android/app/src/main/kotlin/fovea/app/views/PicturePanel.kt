package fovea.app.views

import android.content.Context
import android.graphics.drawable.ColorDrawable
import android.view.View
import android.widget.HorizontalScrollView
import android.widget.LinearLayout
import android.widget.SeekBar
import fovea.core.layer.LegendEntry
import fovea.core.session.Session
import fovea.core.ui.Camera
import fovea.core.ui.Look
import fovea.core.ui.Screen
import fovea.core.ui.State
import fovea.core.ui.legendText
import fovea.core.ui.timesText

private const val SWATCH_DP = 14

/** The screens of a photograph and of the camera: the stage and what belongs to it. */
class PicturePanel(
    private val context: Context,
    private val session: Session,
    choosePhoto: () -> Unit,
    allowCamera: () -> Unit,
) {
    val stage = StageView(context)
    private val hint = context.text(colour = QUIET)
    private val times = context.text(colour = QUIET)
    private val choose = context.button("Choose a photograph", choosePhoto)
    private val allow = context.button("Use the camera", allowCamera)
    private val opacity = SeekBar(context).apply {
        max = 100
        contentDescription = "Opacity of the layer"
        setOnSeekBarChangeListener(object : SeekBar.OnSeekBarChangeListener {
            override fun onProgressChanged(bar: SeekBar?, progress: Int, fromUser: Boolean) {
                if (fromUser) session.chooseOpacity(progress)
            }

            override fun onStartTrackingTouch(bar: SeekBar?) = Unit

            override fun onStopTrackingTouch(bar: SeekBar?) = Unit
        })
    }
    private val slider = context.row(context.text().apply { text = "Opacity" }, opacity.stretched())
    private val looks = Look.entries.associateWith { look -> context.button(look.title) { session.chooseLook(look) } }
    private val lookRow = context.row(*looks.values.toTypedArray())
    private val legend = context.row()
    private var explained: List<LegendEntry>? = null

    val view: View = context.column(
        stage.stretched(vertical = true),
        HorizontalScrollView(context).apply { addView(legend) },
        hint,
        times,
        slider,
        context.row(choose, allow, lookRow),
    )

    fun render(state: State) {
        stage.opacityPercent = state.opacityPercent
        opacity.progress = state.opacityPercent
        val photo = state.screen == Screen.PHOTO
        choose.shown = photo
        choose.isEnabled = state.ready
        allow.shown = !photo && state.camera !in setOf(Camera.LIVE, Camera.STARTING, Camera.ASKING)
        lookRow.shown = state.hasPicture && state.bundle?.canCutOut == true
        looks.forEach { (look, button) -> button.isEnabled = look != state.look }
        slider.shown = state.hasPicture && state.look == Look.LAYER
        hint.text = hint(state)
        hint.shown = hint.text.isNotEmpty()
        times.text = state.times?.let { "${state.recipe}: ${timesText(it)}" } ?: ""
        times.shown = state.times != null
        explain(state.legend)
    }

    private fun hint(state: State): String = when {
        state.hasPicture || state.recipe == null -> ""
        state.screen == Screen.PHOTO -> "Choose a photograph."
        state.camera == Camera.LIVE || state.camera == Camera.STARTING -> "Waiting for the camera's first frame."
        else -> "The camera is off."
    }

    private fun explain(entries: List<LegendEntry>) {
        if (entries == explained) return
        explained = entries
        legend.removeAllViews()
        entries.forEach { entry ->
            val swatch = View(context).apply {
                background = ColorDrawable(OPAQUE or entry.rgb)
                layoutParams = LinearLayout.LayoutParams(context.dp(SWATCH_DP), context.dp(SWATCH_DP))
                    .apply { setMargins(context.dp(6), context.dp(4), context.dp(4), 0) }
            }
            legend.addView(swatch)
            legend.addView(context.text().apply { text = legendText(entry) })
        }
    }

    private companion object {
        const val OPAQUE = 0xff shl 24
    }
}
