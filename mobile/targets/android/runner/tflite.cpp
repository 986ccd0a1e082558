// The runner's three functions over TensorFlow Lite's C API, which its Android library exports.
// XNNPACK is what that library uses by default.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

// As much of the C API as is used; the library's headers need not be at hand.
extern "C" {
struct TfLiteModel;
struct TfLiteInterpreterOptions;
struct TfLiteInterpreter;
struct TfLiteTensor;
TfLiteModel* TfLiteModelCreateFromFile(const char* path);
void TfLiteModelDelete(TfLiteModel* model);
TfLiteInterpreterOptions* TfLiteInterpreterOptionsCreate();
void TfLiteInterpreterOptionsSetNumThreads(TfLiteInterpreterOptions* options, int32_t threads);
void TfLiteInterpreterOptionsDelete(TfLiteInterpreterOptions* options);
TfLiteInterpreter* TfLiteInterpreterCreate(const TfLiteModel* model,
                                           const TfLiteInterpreterOptions* options);
void TfLiteInterpreterDelete(TfLiteInterpreter* interpreter);
int TfLiteInterpreterAllocateTensors(TfLiteInterpreter* interpreter);
int32_t TfLiteInterpreterGetInputTensorCount(const TfLiteInterpreter* interpreter);
int32_t TfLiteInterpreterGetOutputTensorCount(const TfLiteInterpreter* interpreter);
TfLiteTensor* TfLiteInterpreterGetInputTensor(const TfLiteInterpreter* interpreter, int32_t index);
const TfLiteTensor* TfLiteInterpreterGetOutputTensor(const TfLiteInterpreter* interpreter,
                                                     int32_t index);
int TfLiteInterpreterInvoke(TfLiteInterpreter* interpreter);
int TfLiteTensorType(const TfLiteTensor* tensor);
int32_t TfLiteTensorNumDims(const TfLiteTensor* tensor);
int32_t TfLiteTensorDim(const TfLiteTensor* tensor, int32_t index);
size_t TfLiteTensorByteSize(const TfLiteTensor* tensor);
int TfLiteTensorCopyFromBuffer(TfLiteTensor* tensor, const void* data, size_t bytes);
int TfLiteTensorCopyToBuffer(const TfLiteTensor* tensor, void* data, size_t bytes);
}

namespace {

constexpr int kNotOneImage = -1;  // not one float tensor of four sides in, and one out
constexpr int kNoModel = -2, kNoInterpreter = -3;
constexpr int kRank = 4, kFloat32 = 1;

struct Program {
  TfLiteModel* model = nullptr;
  TfLiteInterpreter* interpreter = nullptr;
  ~Program() {
    if (interpreter != nullptr) TfLiteInterpreterDelete(interpreter);
    if (model != nullptr) TfLiteModelDelete(model);
  }
};

bool sides(const TfLiteTensor* tensor, int32_t* into) {
  if (TfLiteTensorType(tensor) != kFloat32 || TfLiteTensorNumDims(tensor) != kRank) return false;
  for (int i = 0; i < kRank; ++i) into[i] = TfLiteTensorDim(tensor, i);
  return true;
}

int load(Program& program, const char* path, int threads, int32_t* into) {
  program.model = TfLiteModelCreateFromFile(path);
  if (program.model == nullptr) return kNoModel;
  TfLiteInterpreterOptions* options = TfLiteInterpreterOptionsCreate();
  TfLiteInterpreterOptionsSetNumThreads(options, threads);
  program.interpreter = TfLiteInterpreterCreate(program.model, options);
  TfLiteInterpreterOptionsDelete(options);
  if (program.interpreter == nullptr) return kNoInterpreter;
  const int error = TfLiteInterpreterAllocateTensors(program.interpreter);
  if (error != 0) return error;
  if (TfLiteInterpreterGetInputTensorCount(program.interpreter) != 1) return kNotOneImage;
  if (TfLiteInterpreterGetOutputTensorCount(program.interpreter) != 1) return kNotOneImage;
  const TfLiteTensor* input = TfLiteInterpreterGetInputTensor(program.interpreter, 0);
  const TfLiteTensor* output = TfLiteInterpreterGetOutputTensor(program.interpreter, 0);
  return sides(input, into) && sides(output, into + kRank) ? 0 : kNotOneImage;
}

}  // namespace

extern "C" {

void* fovea_open(const char* path, int threads, int32_t* into, int* error) {
  auto program = std::make_unique<Program>();
  *error = load(*program, path, threads, into);
  return *error == 0 ? program.release() : nullptr;
}

int fovea_run(void* handle, float* input, float* output) {
  TfLiteInterpreter* interpreter = static_cast<Program*>(handle)->interpreter;
  TfLiteTensor* image = TfLiteInterpreterGetInputTensor(interpreter, 0);
  int error = TfLiteTensorCopyFromBuffer(image, input, TfLiteTensorByteSize(image));
  if (error == 0) error = TfLiteInterpreterInvoke(interpreter);
  if (error != 0) return error;
  const TfLiteTensor* map = TfLiteInterpreterGetOutputTensor(interpreter, 0);
  return TfLiteTensorCopyToBuffer(map, output, TfLiteTensorByteSize(map));
}

void fovea_close(void* handle) { delete static_cast<Program*>(handle); }

}  // extern "C"
