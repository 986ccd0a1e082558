package fovea.app

import android.app.Application
import fovea.core.session.Device

/** Holds the device, so that a test can put another one in its place. */
class FoveaApplication : Application() {
    private var chosen: Device? = null

    var device: Device
        get() = chosen ?: AndroidDevice(this).also { chosen = it }
        set(value) {
            chosen = value
        }
}
