package org.pytorch.executorch;

/** Declares what the app calls of ExecuTorch's class of this name; nothing here runs. */
public class EValue {
    private EValue() {}

    public static EValue from(Tensor tensor) {
        throw new UnsatisfiedLinkError("only declarations of ExecuTorch are here");
    }

    public boolean isTensor() {
        throw new UnsatisfiedLinkError("only declarations of ExecuTorch are here");
    }

    public Tensor toTensor() {
        throw new UnsatisfiedLinkError("only declarations of ExecuTorch are here");
    }
}
