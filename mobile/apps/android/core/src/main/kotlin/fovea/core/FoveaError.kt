package fovea.core

/** Something the user can mend: what is wrong, where, and what to do. Screens show the message as it is. */
open class FoveaError(message: String, cause: Throwable? = null) : Exception(message, cause)
