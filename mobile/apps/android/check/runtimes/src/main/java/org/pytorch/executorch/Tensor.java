package org.pytorch.executorch;

import java.nio.FloatBuffer;

/** Declares what the app calls of ExecuTorch's class of this name; nothing here runs. */
public abstract class Tensor {
    private Tensor() {}

    public static FloatBuffer allocateFloatBuffer(int numElements) {
        throw new UnsatisfiedLinkError("only declarations of ExecuTorch are here");
    }

    public static Tensor fromBlob(FloatBuffer data, long[] shape) {
        throw new UnsatisfiedLinkError("only declarations of ExecuTorch are here");
    }

    public float[] getDataAsFloatArray() {
        throw new UnsatisfiedLinkError("only declarations of ExecuTorch are here");
    }
}
