export type Facing = "environment" | "user";

export interface Camera {
  readonly video: HTMLVideoElement;
  /** Shown as in a mirror: the person sees themselves. */
  readonly mirrored: boolean;
  stop(): void;
}

const REASONS: Readonly<Record<string, string>> = {
  NotAllowedError:
    "The camera was refused. Allow it for this page in the browser's site settings " +
    "(the sign beside the address), then start it again",
  SecurityError: "The browser forbids cameras here; allow them for this page in its settings",
  NotFoundError: "No camera was found; connect one, or choose a photograph instead",
  OverconstrainedError: "No camera fits; connect another, or choose a photograph instead",
  NotReadableError: "The camera is in use elsewhere; close the other program and start it again",
  AbortError: "The camera stopped by itself; start it again",
};

/** Start a camera; throws an `Error` in words for the person. */
export async function startCamera(facing: Facing): Promise<Camera> {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error("Cameras need https:// or localhost; open this page by one of them");
  }
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      // A model sees far fewer pixels; more would cost time and battery for nothing.
      video: { facingMode: facing, width: { ideal: 640 }, height: { ideal: 480 } },
    });
  } catch (error) {
    const { name, message } = error as DOMException;
    throw new Error(REASONS[name] ?? `The camera could not be started: ${message}`);
  }
  const video = document.createElement("video");
  video.muted = video.playsInline = true;
  video.srcObject = stream;
  await video.play();
  const [track] = stream.getVideoTracks();
  return {
    video,
    mirrored: track?.getSettings().facingMode === "user",
    stop: () => stream.getTracks().forEach((each) => each.stop()),
  };
}

/** Whether there is more than one to choose from; known only once one was allowed. */
export async function hasSeveralCameras(): Promise<boolean> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === "videoinput").length > 1;
}

/** The next frame of a video, or the next one of the screen where the browser cannot tell. */
export function nextFrame(video: HTMLVideoElement): Promise<void> {
  return new Promise((resolve) => {
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(() => resolve());
    else requestAnimationFrame(() => resolve());
  });
}
