/** A photograph that cannot be shown: what and what to do. */
export class PhotoProblem extends Error {
  override readonly name = "PhotoProblem";
}

export interface Photo {
  readonly name: string;
  /** Upright. */
  readonly bitmap: ImageBitmap;
  /** Said on screen where the photograph was read smaller than it is. */
  readonly note: string | null;
}

/** More does not fit a canvas of every browser; a phone's 12 or 16 megapixels do. */
export const MOST_PIXELS = 1 << 24;

/**
 * Decode a picture upright by EXIF.
 *
 * One of more than `MOST_PIXELS` is made smaller by the browser on decoding, to a whole fraction of
 * its size, and the named resize goes on from there: less exact than from all pixels, and said.
 * Colour profiles are not applied, as the models have seen none applied.
 */
export async function decodePhoto(file: Blob, name: string): Promise<Photo> {
  if (file.size === 0) throw new PhotoProblem(`${name} is empty (0 bytes); choose another file`);
  const element = await opened(file, name);
  const { naturalWidth: width, naturalHeight: height } = element;
  try {
    if (width === 0 || height === 0) {
      throw new PhotoProblem(`${name} has no size in pixels; save it as JPEG or PNG`);
    }
    const part = Math.ceil(Math.sqrt((width * height) / MOST_PIXELS));
    const bitmap = await decoded(part > 1 ? element : file, name, part, width, height);
    return { name, bitmap, note: part > 1 ? smaller(width, height, part) : null };
  } finally {
    URL.revokeObjectURL(element.src);
  }
}

async function decoded(
  source: Blob | HTMLImageElement,
  name: string,
  part: number,
  width: number,
  height: number,
): Promise<ImageBitmap> {
  const options: ImageBitmapOptions = {
    imageOrientation: "from-image",
    colorSpaceConversion: "none",
  };
  const size: ImageBitmapOptions = {
    resizeWidth: Math.max(1, Math.round(width / part)),
    resizeHeight: Math.max(1, Math.round(height / part)),
    resizeQuality: "high",
  };
  try {
    return await createImageBitmap(source, part > 1 ? { ...options, ...size } : options);
  } catch (error) {
    const pixels = `${width} x ${height}`;
    const words = `${name} (${pixels} pixels) cannot be decoded: ${(error as Error).message}`;
    throw new PhotoProblem(`${words}; make it smaller, or choose another file`);
  }
}

/** The file as an element, of which the browser has read the header only. */
async function opened(file: Blob, name: string): Promise<HTMLImageElement> {
  const element = new Image();
  element.src = URL.createObjectURL(file);
  const known = await new Promise<boolean>((resolve) => {
    element.onload = () => resolve(true);
    element.onerror = () => resolve(false);
  });
  if (known) return element;
  URL.revokeObjectURL(element.src);
  if (await isHeic(file)) {
    throw new PhotoProblem(
      `${name} is a HEIC photograph, which this browser cannot decode; save it as JPEG ` +
        "(iPhone: Settings, Camera, Formats, Most Compatible), or open this page in Safari",
    );
  }
  throw new PhotoProblem(
    `${name} is not a picture that this browser can decode; choose a JPEG, PNG or WebP`,
  );
}

async function isHeic(file: Blob): Promise<boolean> {
  const start = await file.slice(0, 16).text();
  return /^....ftyp(heic|heix|hevc|heim|heis|mif1|msf1)/s.test(start);
}

function smaller(width: number, height: number, part: number): string {
  const million = Math.round((width * height) / 1e6);
  return `${million} megapixels, read at 1/${part} of its size`;
}
