/** WebAssembly in text, compiled when the page is built. */
declare module "*.wat" {
  const code: Uint8Array<ArrayBuffer>;
  export default code;
}
