// A plain C interface to ExecuTorch's public C++ API, for Python's ctypes.
//
// ExecuTorch's own Python binding needs PyTorch to be imported (seconds), holds Python's lock while
// a program runs, and lets all programs share one workspace, so two never run at once. This opens a
// program in milliseconds and runs as many side by side as there are threads.

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <executorch/extension/module/module.h>
#include <executorch/extension/tensor/tensor.h>
#include <executorch/runtime/backend/interface.h>
#include <executorch/runtime/backend/options.h>

// The package ships this class in a library but not in a header.
namespace executorch::extension::threadpool {
class ThreadPool {
 public:
  bool _unsafe_reset_threadpool(uint32_t threads);
};
ThreadPool* get_threadpool();
}  // namespace executorch::extension::threadpool

using executorch::aten::ScalarType;
using executorch::extension::Module;
using executorch::extension::TensorPtr;
using executorch::runtime::Error;

namespace {

constexpr int kNotOneImage = -1;  // not one float tensor of four sides in, and one out
constexpr int kRank = 4;

struct Program {
  explicit Program(const char* path) : module(std::string(path), Module::LoadMode::Mmap) {}
  Module module;
  std::vector<int32_t> input, output;
  size_t count = 0;  // numbers in the output
};

template <typename Info>
bool sides(const Info& info, std::vector<int32_t>& into) {
  if (!info.ok() || info->scalar_type() != ScalarType::Float) return false;
  into.assign(info->sizes().begin(), info->sizes().end());
  return into.size() == kRank;
}

int describe(Program& program) {
  auto meta = program.module.method_meta("forward");
  if (!meta.ok()) return static_cast<int>(meta.error());
  if (meta->num_inputs() != 1 || meta->num_outputs() != 1) return kNotOneImage;
  if (!sides(meta->input_tensor_meta(0), program.input)) return kNotOneImage;
  if (!sides(meta->output_tensor_meta(0), program.output)) return kNotOneImage;
  program.count = 1;
  for (int32_t side : program.output) program.count *= static_cast<size_t>(side);
  return 0;
}

int load(Program& program) {
  // A workspace of its own for every program, or their runs would wait for each other.
  executorch::runtime::BackendOptions<1> options;
  Error error = options.set_option("workspace_sharing_mode", 0);
  if (error == Error::Ok) error = executorch::runtime::set_option("XnnpackBackend", options.view());
  if (error == Error::Ok) {
    error = program.module.load(executorch::runtime::Program::Verification::InternalConsistency);
  }
  if (error == Error::Ok) error = program.module.load_forward();
  return error == Error::Ok ? describe(program) : static_cast<int>(error);
}

}  // namespace

extern "C" {

// A loaded program, or null with `error` set. `sides` gets 4 input sides, then 4 output sides.
// `threads` holds for all programs of the process.
void* fovea_open(const char* path, int threads, int32_t* sides, int* error) {
  auto* pool = executorch::extension::threadpool::get_threadpool();
  if (pool != nullptr) pool->_unsafe_reset_threadpool(static_cast<uint32_t>(threads));
  std::unique_ptr<Program> program(new (std::nothrow) Program(path));
  *error = program ? load(*program) : static_cast<int>(Error::MemoryAllocationFailed);
  if (*error != 0) return nullptr;
  std::memcpy(sides, program->input.data(), kRank * sizeof(int32_t));
  std::memcpy(sides + kRank, program->output.data(), kRank * sizeof(int32_t));
  return program.release();
}

// 0, or ExecuTorch's error. `input` and `output` are contiguous and as large as the sides say.
int fovea_run(void* handle, float* input, float* output) {
  auto& program = *static_cast<Program*>(handle);
  TensorPtr image = executorch::extension::from_blob(input, program.input);
  auto result = program.module.forward(image);
  if (!result.ok()) return static_cast<int>(result.error());
  if (result->size() != 1 || !result->at(0).isTensor()) return kNotOneImage;
  auto tensor = result->at(0).toTensor();
  if (static_cast<size_t>(tensor.numel()) != program.count) return kNotOneImage;
  std::memcpy(output, tensor.const_data_ptr<float>(), program.count * sizeof(float));
  return 0;
}

void fovea_close(void* handle) { delete static_cast<Program*>(handle); }

}  // extern "C"
