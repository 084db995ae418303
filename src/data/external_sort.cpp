#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/external_sort.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <queue>

namespace tcrops::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRunBufferBytes = std::size_t{1} << 17U;

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

// A file without a name, so that nothing can be left behind.
File open_nameless(const fs::path& folder) {
  std::string name = (folder / "tcrops-sort-XXXXXX").string();
  const int descriptor = mkstemp(name.data());
  if (descriptor < 0) throw system_error("cannot create a temporary file in", folder, errno);
  unlink(name.c_str());
  File file(fdopen(descriptor, "w+b"));
  if (!file) throw system_error("cannot open a temporary file in", folder, errno);
  std::setvbuf(file.get(), nullptr, _IOFBF, kRunBufferBytes);
  return file;
}

// An entry in the buffer.
struct Slot {
  std::size_t begin;
  std::uint32_t key_bytes;
  std::uint32_t value_bytes;
};

// A sorted run on disk, at its first entry that has not been taken.
struct Run {
  File file;
  ExternalSort::Entry entry;

  [[nodiscard]] bool advance(const fs::path& folder) {
    std::array<std::uint32_t, 2> sizes{};
    if (std::fread(sizes.data(), sizeof(sizes), 1, file.get()) != 1) {
      if (std::ferror(file.get()) != 0) fail(folder);
      return false;
    }
    entry.key.resize(sizes[0]);
    entry.value.resize(sizes[1]);
    read(entry.key, folder);
    read(entry.value, folder);
    return true;
  }

 private:
  [[noreturn]] static void fail(const fs::path& folder) {
    throw system_error("cannot read a temporary file in", folder, errno);
  }
  void read(std::string& text, const fs::path& folder) {
    if (!text.empty() && std::fread(text.data(), text.size(), 1, file.get()) != 1) fail(folder);
  }
};

}  // namespace

struct ExternalSort::State {
  fs::path folder;
  std::size_t memory_bytes;
  std::string buffer;
  std::vector<Slot> slots;
  std::vector<Run> runs;
  std::size_t taken = 0;  // of `slots`, when everything fitted
  bool reading = false;

  // Runs by first entry, smallest on top; of equal keys the earlier run.
  struct Later {
    const std::vector<Run>* runs;
    bool operator()(std::size_t a, std::size_t b) const {
      const int order = (*runs)[a].entry.key.compare((*runs)[b].entry.key);
      return order != 0 ? order > 0 : a > b;
    }
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, Later> heap{Later{&runs}};

  [[nodiscard]] std::string_view key(const Slot& slot) const {
    return std::string_view(buffer).substr(slot.begin, slot.key_bytes);
  }
  [[nodiscard]] std::string_view value(const Slot& slot) const {
    return std::string_view(buffer).substr(slot.begin + slot.key_bytes, slot.value_bytes);
  }
  [[nodiscard]] std::size_t bytes() const { return buffer.size() + slots.size() * sizeof(Slot); }

  void sort_slots() {
    std::stable_sort(slots.begin(), slots.end(),
                     [this](const Slot& a, const Slot& b) { return key(a) < key(b); });
  }

  void write(std::FILE* file, const void* bytes_to_write, std::size_t size) const {
    if (size > 0 && std::fwrite(bytes_to_write, size, 1, file) != 1) {
      throw system_error("cannot write a temporary file in", folder, errno);
    }
  }

  void spill() {
    check_interrupt();
    sort_slots();
    Run run{open_nameless(folder), {}};
    for (const Slot& slot : slots) {
      const std::array<std::uint32_t, 2> sizes = {slot.key_bytes, slot.value_bytes};
      write(run.file.get(), sizes.data(), sizeof(sizes));
      write(run.file.get(), buffer.data() + slot.begin,
            std::size_t{slot.key_bytes} + slot.value_bytes);
    }
    if (std::fflush(run.file.get()) != 0) {
      throw system_error("cannot write a temporary file in", folder, errno);
    }
    std::rewind(run.file.get());
    runs.push_back(std::move(run));
    buffer.clear();
    slots.clear();
  }

  void begin_reading() {
    reading = true;
    if (runs.empty()) {
      sort_slots();
      return;
    }
    if (!slots.empty()) spill();
    // Assigning {} would keep the memory.
    std::string().swap(buffer);
    std::vector<Slot>().swap(slots);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (runs[i].advance(folder)) heap.push(i);
    }
  }

  std::optional<Entry> next_in_memory() {
    if (taken == slots.size()) return std::nullopt;
    const Slot& slot = slots[taken++];
    return Entry{std::string(key(slot)), std::string(value(slot))};
  }

  std::optional<Entry> next_merged() {
    if (heap.empty()) return std::nullopt;
    const std::size_t first = heap.top();
    heap.pop();
    Entry entry = std::move(runs[first].entry);
    if (runs[first].advance(folder)) heap.push(first);
    return entry;
  }
};

ExternalSort::ExternalSort(fs::path folder, std::size_t memory_bytes)
    : state_(std::make_unique<State>()) {
  state_->folder = folder.empty() ? fs::temp_directory_path() : std::move(folder);
  state_->memory_bytes = memory_bytes;
}
ExternalSort::~ExternalSort() = default;
ExternalSort::ExternalSort(ExternalSort&&) noexcept = default;
ExternalSort& ExternalSort::operator=(ExternalSort&&) noexcept = default;

void ExternalSort::add(std::string_view key, std::string_view value) {
  State& state = *state_;
  if (state.reading) throw Error(ExitCode::kFailure, "external sort: add() after next()");
  state.slots.push_back({state.buffer.size(), static_cast<std::uint32_t>(key.size()),
                         static_cast<std::uint32_t>(value.size())});
  state.buffer.append(key).append(value);
  if (state.bytes() > state.memory_bytes) state.spill();
}

std::optional<ExternalSort::Entry> ExternalSort::next() {
  State& state = *state_;
  if (!state.reading) state.begin_reading();
  return state.runs.empty() ? state.next_in_memory() : state.next_merged();
}

std::string sortable(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(number >> (8U * (7U - i)) & 0xFFU);
  }
  return bytes;
}

std::uint64_t unsortable(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes.substr(0, 8)) {
    number = number << 8U | static_cast<unsigned char>(byte);
  }
  return number;
}

}  // namespace tcrops::data
