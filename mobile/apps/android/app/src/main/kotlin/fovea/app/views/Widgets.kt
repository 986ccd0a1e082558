package fovea.app.views

import android.content.Context
import android.graphics.Color
import android.graphics.Typeface
import android.view.View
import android.view.ViewGroup
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.Button
import android.widget.LinearLayout
import android.widget.TextView

const val INK = Color.BLACK
val QUIET = Color.rgb(90, 90, 90)
val GOOD = Color.rgb(22, 110, 60)
val BAD = Color.rgb(176, 32, 32)

fun Context.dp(value: Int): Int = (value * resources.displayMetrics.density).toInt()

fun Context.text(size: Float = 14f, colour: Int = INK, bold: Boolean = false): TextView = TextView(this).apply {
    textSize = size
    setTextColor(colour)
    if (bold) typeface = Typeface.DEFAULT_BOLD
    setTextIsSelectable(true)
}

fun Context.button(title: String, pressed: () -> Unit): Button = Button(this).apply {
    text = title
    isAllCaps = false
    minimumWidth = 0
    setOnClickListener { pressed() }
}

/** One of several beside each other that share the width. */
fun Context.tab(title: String, pressed: () -> Unit): Button = button(title, pressed).apply {
    textSize = 12f
    isSingleLine = true
    setPadding(0, paddingTop, 0, paddingBottom)
}.stretched()

fun Context.column(vararg children: View): LinearLayout = line(LinearLayout.VERTICAL, children)

fun Context.row(vararg children: View): LinearLayout = line(LinearLayout.HORIZONTAL, children)

private fun Context.line(direction: Int, children: Array<out View>): LinearLayout = LinearLayout(this).apply {
    orientation = direction
    children.forEach { addView(it) }
}

/** A child that takes the room which the others leave. */
fun <T : View> T.stretched(vertical: Boolean = false): T = apply {
    val across = ViewGroup.LayoutParams(MATCH_PARENT, WRAP_CONTENT)
    layoutParams = if (vertical) LinearLayout.LayoutParams(across.width, 0, 1f) else LinearLayout.LayoutParams(0, across.height, 1f)
}

var View.shown: Boolean
    get() = visibility == View.VISIBLE
    set(value) {
        visibility = if (value) View.VISIBLE else View.GONE
    }
