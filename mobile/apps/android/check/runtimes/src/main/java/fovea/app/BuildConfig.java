package fovea.app;

/** Declares what Gradle generates of the app's build. */
public final class BuildConfig {
    public static final String EXECUTORCH_VERSION = "none";

    private BuildConfig() {}
}
