// Times one exported file, on a phone or anywhere else:
//
//   runner MODEL INPUT OUTPUT THREADS WARMUPS ITERATIONS LEAST SECONDS
//
// INPUT holds the image as raw float32, OUTPUT gets the last result. After the first run and the
// warm-ups, up to ITERATIONS runs are timed; after LEAST of them it stops once SECONDS have passed.
// One line of JSON goes to standard output. Status 3: the runtime does not take the model; 4: the
// input is of another size, or a file cannot be read or written; 5: a run failed.
//
// Which runtime it is decides the file that implements the three functions below.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

extern "C" {
void* fovea_open(const char* path, int threads, int32_t* sides, int* error);
int fovea_run(void* handle, float* input, float* output);
void fovea_close(void* handle);
}

namespace {

constexpr int kRank = 4;
constexpr int kRefused = 3, kInput = 4, kFailed = 5;

double now_ms() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

long status_kb(const char* key) {
  FILE* file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return -1;
  char line[256];
  long found = -1;
  const size_t length = std::strlen(key);
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, key, length) == 0) found = std::strtol(line + length, nullptr, 10);
  }
  std::fclose(file);
  return found;
}

size_t count(const int32_t* sides) {
  size_t product = 1;
  for (int i = 0; i < kRank; ++i) product *= static_cast<size_t>(sides[i]);
  return product;
}

bool read_all(const char* path, std::vector<float>& into) {
  FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return false;
  const size_t found = std::fread(into.data(), sizeof(float), into.size(), file);
  const bool more = std::fgetc(file) != EOF;
  std::fclose(file);
  return found == into.size() && !more;
}

bool write_all(const char* path, const std::vector<float>& from) {
  FILE* file = std::fopen(path, "wb");
  if (file == nullptr) return false;
  const size_t written = std::fwrite(from.data(), sizeof(float), from.size(), file);
  return std::fclose(file) == 0 && written == from.size();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) {
    std::fprintf(stderr, "runner MODEL INPUT OUTPUT THREADS WARMUPS ITERATIONS LEAST SECONDS\n");
    return 2;
  }
  const int threads = std::atoi(argv[4]), warmups = std::atoi(argv[5]);
  const int iterations = std::atoi(argv[6]), least = std::atoi(argv[7]);
  const double seconds = std::atof(argv[8]);

  const long baseline = status_kb("VmRSS:");
  int32_t sides[2 * kRank];
  int error = 0;
  double started = now_ms();
  void* model = fovea_open(argv[1], threads, sides, &error);
  const double load_ms = now_ms() - started;
  if (model == nullptr) {
    std::fprintf(stderr, "the runtime does not take the model (its error %d)\n", error);
    return kRefused;
  }
  std::vector<float> input(count(sides)), output(count(sides + kRank));
  if (!read_all(argv[2], input)) {
    std::fprintf(stderr, "the input does not hold %zu numbers\n", input.size());
    return kInput;
  }
  std::vector<double> samples;
  double first_ms = 0;
  const double begun = now_ms();
  double limit = begun;
  for (int run = 0; run < 1 + warmups + iterations; ++run) {
    if (run == 1 + warmups) limit = now_ms() + 1e3 * seconds;
    started = now_ms();
    error = fovea_run(model, input.data(), output.data());
    const double taken = now_ms() - started;
    if (error != 0) {
      std::fprintf(stderr, "run %d failed (error %d)\n", run, error);
      return kFailed;
    }
    if (run == 0) first_ms = taken;
    if (run <= warmups) continue;
    samples.push_back(taken);
    if (static_cast<int>(samples.size()) >= least && now_ms() > limit) break;
  }
  const long peak = status_kb("VmHWM:");
  fovea_close(model);
  if (!write_all(argv[3], output)) {
    std::fprintf(stderr, "%s cannot be written\n", argv[3]);
    return kInput;
  }
  std::printf("{\"load_ms\": %.4f, \"first_ms\": %.4f, \"baseline_kb\": %ld, \"peak_kb\": %ld", load_ms,
              first_ms, baseline, peak);
  std::printf(", \"shape\": [%d, %d, %d, %d], \"samples\": [", sides[4], sides[5], sides[6], sides[7]);
  for (size_t i = 0; i < samples.size(); ++i) std::printf("%s%.4f", i ? ", " : "", samples[i]);
  std::printf("]}\n");
  return 0;
}
