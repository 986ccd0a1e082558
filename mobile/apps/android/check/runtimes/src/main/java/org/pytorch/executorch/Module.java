package org.pytorch.executorch;

/** Declares what the app calls of ExecuTorch's class of this name; nothing here runs. */
public class Module {
    public static final int LOAD_MODE_MMAP = 1;

    private Module() {}

    public static Module load(String modelPath, int loadMode, int numThreads) {
        throw new UnsatisfiedLinkError("only declarations of ExecuTorch are here");
    }

    public EValue[] forward(EValue... inputs) {
        throw new UnsatisfiedLinkError("only declarations of ExecuTorch are here");
    }

    public void destroy() {}
}
