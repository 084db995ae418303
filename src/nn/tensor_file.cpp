#include <tcrops/core/error.hpp>
#include <tcrops/nn/tensor_file.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <set>

namespace tcrops::nn {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensor bytes are stored as they lie in memory");

// Keeps the order of keys, which is the order of the tensors.
using Header = nlohmann::ordered_json;

constexpr std::size_t kSizeField = 8;
constexpr std::size_t kAlignment = 8;
// A net of ours needs some 20 kB; more would only give a damaged file room to waste time.
constexpr std::uint64_t kMaximumHeader = 1U << 20U;
constexpr std::size_t kMaximumDimensions = 8;
constexpr const char* kMetadata = "__metadata__";

constexpr std::array kTypes = {DType::kF32, DType::kI64, DType::kU8, DType::kI8};

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DType dtype : kTypes) {
    if (dtype_name(dtype) == name) return dtype;
  }
  return std::nullopt;
}

// Why the bytes cannot be used; becomes an Error with the file's name.
struct Refusal {
  std::string reason;
};

// Parses and refuses a key that occurs twice in one object: readers differ in which one they take.
Header parse_header(std::string_view text) {
  std::vector<std::set<std::string>> open;
  const auto watch = [&open](int depth, Header::parse_event_t event, Header& value) {
    if (depth > 3) throw Refusal{"its header is nested too deeply"};
    if (event == Header::parse_event_t::object_start) open.emplace_back();
    if (event == Header::parse_event_t::object_end) open.pop_back();
    if (event == Header::parse_event_t::key &&
        !open.back().insert(value.get<std::string>()).second) {
      throw Refusal{fmt::format("its header names \"{}\" twice", value.get<std::string>())};
    }
    return true;
  };
  try {
    return Header::parse(text.begin(), text.end(), watch);
  } catch (const Header::exception& error) {
    throw Refusal{fmt::format("its header is not JSON: {}", error.what())};
  }
}

std::uint64_t count(const Header& value, const std::string& tensor) {
  if (!value.is_number_unsigned())
    throw Refusal{fmt::format("tensor \"{}\" has a size or offset that is not a number", tensor)};
  return value.get<std::uint64_t>();
}

struct Entry {
  Tensor tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

std::vector<std::int64_t> read_shape(const Header& shape, const std::string& name) {
  if (!shape.is_array() || shape.size() > kMaximumDimensions) {
    throw Refusal{
        fmt::format("tensor \"{}\" has no shape of at most {} sizes", name, kMaximumDimensions)};
  }
  std::vector<std::int64_t> sizes;
  for (const Header& item : shape) {
    const std::uint64_t size = count(item, name);
    if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      throw Refusal{fmt::format("tensor \"{}\" is too large", name)};
    }
    sizes.push_back(static_cast<std::int64_t>(size));
  }
  return sizes;
}

std::uint64_t byte_count(const Tensor& tensor) {
  std::uint64_t bytes = dtype_size(tensor.dtype);
  for (const std::int64_t size : tensor.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes)) {
      throw Refusal{fmt::format("tensor \"{}\" is too large", tensor.name)};
    }
  }
  return bytes;
}

Entry read_entry(const std::string& name, const Header& value) {
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") ||
      !value.contains("shape") || !value.contains("data_offsets")) {
    throw Refusal{
        fmt::format("tensor \"{}\" is not described by dtype, shape and data_offsets", name)};
  }
  Entry entry;
  entry.tensor.name = name;
  const Header& dtype = value["dtype"];
  const auto known = dtype.is_string() ? dtype_from_name(dtype.get<std::string>()) : std::nullopt;
  if (!known)
    throw Refusal{
        fmt::format("tensor \"{}\" has an element type other than F32, I64 and U8", name)};
  entry.tensor.dtype = *known;

  entry.tensor.shape = read_shape(value["shape"], name);
  const std::uint64_t bytes = byte_count(entry.tensor);

  const Header& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2)
    throw Refusal{fmt::format("tensor \"{}\" has no pair of offsets", name)};
  entry.begin = count(offsets[0], name);
  entry.end = count(offsets[1], name);
  if (entry.begin > entry.end || entry.end - entry.begin != bytes) {
    throw Refusal{
        fmt::format("tensor \"{}\" needs {} bytes, its offsets say otherwise", name, bytes)};
  }
  return entry;
}

void check_metadata(const Header& value) {
  const bool texts =
      value.is_object() &&
      std::all_of(value.begin(), value.end(), [](const Header& item) { return item.is_string(); });
  if (!texts) throw Refusal{"its metadata is not a map of texts"};
}

struct Parts {
  std::string_view header;
  std::string_view data;
};

Parts split_file(std::string_view bytes) {
  if (bytes.size() < kSizeField)
    throw Refusal{fmt::format("it has {} bytes, too few for a header", bytes.size())};
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), kSizeField);
  if (header_size > kMaximumHeader || header_size > bytes.size() - kSizeField) {
    throw Refusal{fmt::format("it says its header has {} bytes, of {} in the file (at most {})",
                              header_size, bytes.size(), kMaximumHeader)};
  }
  const Parts parts{bytes.substr(kSizeField, header_size), bytes.substr(kSizeField + header_size)};
  if (!parts.header.starts_with('{')) throw Refusal{"its header does not begin with {"};
  return parts;
}

// In the order of their bytes, which lie one after the other and fill `data_size`.
std::vector<Entry> read_entries(const Header& header, std::uint64_t data_size) {
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == kMetadata)
      check_metadata(value);
    else
      entries.push_back(read_entry(name, value));
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t reached = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != reached)
      throw Refusal{fmt::format("tensor \"{}\" does not begin where the one before it ends",
                                entry.tensor.name)};
    reached = entry.end;
  }
  if (reached != data_size) {
    throw Refusal{
        fmt::format("its tensors have {} bytes, but {} follow the header", reached, data_size)};
  }
  return entries;
}

std::vector<Tensor> read_checked(std::string_view bytes) {
  const Parts parts = split_file(bytes);
  std::vector<Entry> entries = read_entries(parse_header(parts.header), parts.data.size());
  std::vector<Tensor> tensors;
  tensors.reserve(entries.size());
  for (Entry& entry : entries) {
    const auto* first = reinterpret_cast<const std::byte*>(parts.data.data()) + entry.begin;
    entry.tensor.bytes.assign(first, first + (entry.end - entry.begin));
    tensors.push_back(std::move(entry.tensor));
  }
  return tensors;
}

template <class T>
Tensor make(std::string name, DType dtype, std::vector<std::int64_t> shape,
            std::span<const T> values) {
  Tensor tensor{std::move(name), dtype, std::move(shape), {}};
  if (tensor.elements() != static_cast<std::int64_t>(values.size())) {
    throw Error(ExitCode::kFailure, fmt::format("tensor \"{}\": {} values for {} elements",
                                                tensor.name, values.size(), tensor.elements()));
  }
  const auto bytes = std::as_bytes(values);
  tensor.bytes.assign(bytes.begin(), bytes.end());
  return tensor;
}

template <class T>
std::vector<T> values_of(const Tensor& tensor, DType dtype) {
  if (tensor.dtype != dtype) {
    throw Error(
        ExitCode::kArtifact,
        fmt::format("tensor \"{}\": elements are {}, expected {}; the file is of another version",
                    tensor.name, dtype_name(tensor.dtype), dtype_name(dtype)));
  }
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), values.size() * sizeof(T));
  return values;
}

}  // namespace

std::string_view dtype_name(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kI64:
      return "I64";
    case DType::kI8:
      return "I8";
    case DType::kU8:
      break;
  }
  return "U8";
}

std::size_t dtype_size(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return 4;
    case DType::kI64:
      return 8;
    case DType::kI8:
    case DType::kU8:
      break;
  }
  return 1;
}

std::int64_t Tensor::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) product *= size;
  return product;
}

Tensor make_f32(std::string name, std::vector<std::int64_t> shape, std::span<const float> values) {
  return make(std::move(name), DType::kF32, std::move(shape), values);
}

Tensor make_u8(std::string name, std::vector<std::int64_t> shape,
               std::span<const std::uint8_t> values) {
  return make(std::move(name), DType::kU8, std::move(shape), values);
}

Tensor make_i8(std::string name, std::vector<std::int64_t> shape,
               std::span<const std::int8_t> values) {
  return make(std::move(name), DType::kI8, std::move(shape), values);
}

std::vector<float> as_f32(const Tensor& tensor) { return values_of<float>(tensor, DType::kF32); }

std::vector<std::uint8_t> as_u8(const Tensor& tensor) {
  return values_of<std::uint8_t>(tensor, DType::kU8);
}

std::vector<std::int8_t> as_i8(const Tensor& tensor) {
  return values_of<std::int8_t>(tensor, DType::kI8);
}

std::string write_safetensors(std::span<const Tensor> tensors) {
  Header header = Header::object();
  std::uint64_t offset = 0;
  for (const Tensor& tensor : tensors) {
    const std::uint64_t size = tensor.bytes.size();
    if (header.contains(tensor.name) || tensor.name == kMetadata ||
        size != static_cast<std::uint64_t>(tensor.elements()) * dtype_size(tensor.dtype)) {
      throw Error(ExitCode::kFailure,
                  fmt::format("tensor \"{}\": its name is taken or its bytes do not fit its shape",
                              tensor.name));
    }
    header[tensor.name] = {{"dtype", dtype_name(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + size}}};
    offset += size;
  }
  std::string text = header.dump();
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  if (text.size() > kMaximumHeader) {
    throw Error(ExitCode::kFailure,
                fmt::format("{} tensors are too many for one file", tensors.size()));
  }

  const std::uint64_t header_size = text.size();
  std::string bytes(kSizeField, '\0');
  bytes.reserve(kSizeField + text.size() + offset);
  std::memcpy(bytes.data(), &header_size, kSizeField);
  bytes += text;
  for (const Tensor& tensor : tensors) {
    bytes.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  }
  return bytes;
}

std::vector<Tensor> read_safetensors(std::string_view bytes, const std::string& name) {
  try {
    return read_checked(bytes);
  } catch (const Refusal& refusal) {
    throw Error(ExitCode::kArtifact, fmt::format("{}: cannot be used: {}; fetch or train it again",
                                                 name, refusal.reason));
  }
}

const Tensor& find_tensor(std::span<const Tensor> tensors, std::string_view name) {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [name](const Tensor& tensor) { return tensor.name == name; });
  if (found == tensors.end()) {
    throw Error(ExitCode::kArtifact,
                fmt::format("tensor \"{}\" is missing; the file is of another version", name));
  }
  return *found;
}

}  // namespace tcrops::nn
