import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android)
    alias(libs.plugins.kotlin.android)
}

val vectors = rootDir.resolve("../vectors")

android {
    namespace = "fovea.app"
    compileSdk = 36

    defaultConfig {
        applicationId = "fovea.app"
        minSdk = 26
        targetSdk = 36
        versionCode = 1
        versionName = "1"
        testInstrumentationRunner = "androidx.test.runner.AndroidJUnitRunner"
        buildConfigField("String", "EXECUTORCH_VERSION", "\"${libs.versions.executorch.get()}\"")
        ndk {
            abiFilters += listOf("arm64-v8a", "x86_64")
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    buildFeatures {
        buildConfig = true
    }

    sourceSets {
        getByName("test").kotlin.srcDir("src/sharedTest/kotlin")
        getByName("androidTest").kotlin.srcDir("src/sharedTest/kotlin")
        // The contract's vectors travel with the test, not with the app.
        getByName("androidTest").assets.srcDir(vectors)
    }

    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all {
                it.systemProperty("fovea.vectors", vectors.path)
                it.systemProperty("fovea.checkout", rootDir.resolve("../../..").path)
                it.systemProperty("fovea.bundles", providers.gradleProperty("fovea.bundles").getOrElse(""))
                it.systemProperty("fovea.python", providers.gradleProperty("fovea.python").getOrElse(""))
            }
        }
    }
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_17
    }
}

dependencies {
    implementation(project(":core"))
    implementation(libs.executorch)
    implementation(libs.tflite)

    testImplementation(testFixtures(project(":core")))
    testImplementation(libs.kotlin.test)
    testImplementation(libs.junit4)
    testImplementation(libs.robolectric)

    androidTestImplementation(libs.runner)
    androidTestImplementation(libs.junit4)
}
