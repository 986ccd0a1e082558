import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.kotlin.jvm)
    `java-test-fixtures`
}

val vectors = rootDir.resolve("../vectors")

java {
    sourceCompatibility = JavaVersion.VERSION_17
    targetCompatibility = JavaVersion.VERSION_17
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_17
    }
}

dependencies {
    implementation(libs.serialization)
    testImplementation(libs.kotlin.test)
    testImplementation(libs.jupiter)
}

// One palette for all apps: the colours of the contract become a resource.
tasks.processResources {
    from(vectors) { include("colours.json") }
}

tasks.test {
    useJUnitPlatform()
    systemProperty("fovea.vectors", vectors.path)
    systemProperty("fovea.checkout", rootDir.resolve("../../..").path)
    systemProperty("fovea.bundles", providers.gradleProperty("fovea.bundles").getOrElse(""))
    systemProperty("fovea.python", providers.gradleProperty("fovea.python").getOrElse(""))
}
