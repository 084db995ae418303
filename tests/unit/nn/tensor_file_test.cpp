#include "catch_all.hpp"

#include <tcrops/core/rng.hpp>
#include <tcrops/nn/tensor_file.hpp>

#include <cstring>
#include <error_code.hpp>

using namespace tcrops;
using namespace tcrops::nn;

namespace {

std::vector<Tensor> examples() {
  Tensor steps{"steps", DType::kI64, {}, std::vector<std::byte>(8, std::byte{1})};
  return {make_f32("z.weight", {2, 3}, std::vector<float>{1, 2, 3, 4, 5, -6.5F}),
          make_u8("a.labels", {3}, std::vector<std::uint8_t>{0, 1, 255}), steps,
          make_f32("empty", {0, 7}, {})};
}

// A file with this header and this many bytes behind it.
std::string file_with(const std::string& header, std::size_t data) {
  const std::uint64_t size = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes + header + std::string(data, 'x');
}

bool refused(const std::string& bytes) {
  try {
    static_cast<void>(read_safetensors(bytes, "weights.safetensors"));
  } catch (const Error& error) {
    return error.code() == ExitCode::kArtifact &&
           std::string(error.what()).starts_with("weights.safetensors: ");
  }
  return false;
}

}  // namespace

TEST_CASE("tensors survive the file, in order") {
  const auto tensors = examples();
  const std::string bytes = write_safetensors(tensors);
  const auto again = read_safetensors(bytes, "test");
  REQUIRE(again.size() == tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CHECK(again[i].name == tensors[i].name);
    CHECK(again[i].dtype == tensors[i].dtype);
    CHECK(again[i].shape == tensors[i].shape);
    CHECK(again[i].bytes == tensors[i].bytes);
  }
  CHECK(write_safetensors(again) == bytes);
  CHECK(as_f32(find_tensor(again, "z.weight"))[5] == -6.5F);
  CHECK(as_u8(find_tensor(again, "a.labels")) == std::vector<std::uint8_t>{0, 1, 255});
}

TEST_CASE("the data begins at a multiple of 8") {
  for (std::size_t length = 1; length < 20; ++length) {
    const std::vector<Tensor> one = {
        make_u8(std::string(length, 'n'), {1}, std::vector<std::uint8_t>{1})};
    CHECK((write_safetensors(one).size() - 1) % 8 == 0);
  }
  CHECK(read_safetensors(write_safetensors({}), "test").empty());
}

TEST_CASE("a file that another program wrote is read") {
  const auto tensors = read_safetensors(
      file_with(
          R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"__metadata__":{"format":"pt"},)"
          R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}  )",
          3),
      "test");
  REQUIRE(tensors.size() == 2);
  CHECK(tensors[0].name == "a");
  CHECK(tensors[1].name == "b");
}

TEST_CASE("types and names are checked on use") {
  const auto tensors = examples();
  CHECK(error_code([&] { static_cast<void>(find_tensor(tensors, "weight")); }) ==
        ExitCode::kArtifact);
  CHECK(error_code([&] { static_cast<void>(as_f32(tensors[1])); }) == ExitCode::kArtifact);
  CHECK(error_code([&] { static_cast<void>(as_u8(tensors[0])); }) == ExitCode::kArtifact);
  CHECK(error_code([] { static_cast<void>(make_f32("x", {2}, std::vector<float>{1})); }) ==
        ExitCode::kFailure);
  auto twice = examples();
  twice[1].name = twice[0].name;
  CHECK(error_code([&] { static_cast<void>(write_safetensors(twice)); }) == ExitCode::kFailure);
  auto cut = examples();
  cut[0].bytes.pop_back();
  CHECK(error_code([&] { static_cast<void>(write_safetensors(cut)); }) == ExitCode::kFailure);
}

TEST_CASE("every shortened or lengthened file is refused") {
  const std::string bytes = write_safetensors(examples());
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK(refused(bytes.substr(0, size)));
  CHECK(refused(bytes + "x"));
}

TEST_CASE("damaged headers are refused") {
  const auto entry = [](const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}}";
  };
  REQUIRE_FALSE(refused(file_with(entry("\"F32\"", "[2]", "[0,8]"), 8)));
  const std::vector<std::string> headers = {
      "",
      " ",
      "[]",
      "{",
      "{}",
      "null",
      " {}",
      "{\"a\"}",
      "{\"a\":1}",
      "{\"a\":{}}",
      "{\"a\":[]}",
      std::string(100000, '{'),
      "{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}",
      entry("\"F64\"", "[1]", "[0,8]"),
      entry("\"f32\"", "[2]", "[0,8]"),
      entry("5", "[2]", "[0,8]"),
      entry("null", "[2]", "[0,8]"),
      entry("\"F32\"", "2", "[0,8]"),
      entry("\"F32\"", "[3]", "[0,8]"),
      entry("\"F32\"", "[-2]", "[0,8]"),
      entry("\"F32\"", "[2.0]", "[0,8]"),
      entry("\"F32\"", "[\"2\"]", "[0,8]"),
      entry("\"F32\"", "[[2]]", "[0,8]"),
      entry("\"F32\"", "[2]", "[8,0]"),
      entry("\"F32\"", "[2]", "[0]"),
      entry("\"F32\"", "[2]", "[0,8,8]"),
      entry("\"F32\"", "[2]", "[-8,0]"),
      entry("\"F32\"", "[2]", "[0,1e1]"),
      entry("\"F32\"", "[2]", "8"),
      entry("\"F32\"", "[2]", "[1,9]"),
      entry("\"F32\"", "[1]", "[0,4]"),
      entry("\"F32\"", "[4]", "[0,16]"),
      entry("\"F32\"", "[4611686018427387904]", "[0,0]"),
      entry("\"F32\"", "[4294967296,4294967296]", "[0,0]"),
      entry("\"U8\"", "[18446744073709551615]", "[0,8]"),
      entry("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]"),
      entry("\"F32\"", "[2]", "[18446744073709551608,18446744073709551616]"),
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}})",
      R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
      R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
      R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
      R"({"__metadata__":{"n":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
      "{\"\xff\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
      entry("\"F32\"", "[2]", "[0,8]") + "x"};
  for (const std::string& header : headers) {
    INFO(header.substr(0, 120));
    CHECK(refused(file_with(header, 8)));
  }
}

TEST_CASE("header sizes that lie are refused") {
  const std::string good = write_safetensors(examples());
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, good.size() - 8, good.size() - 7,
        std::uint64_t{1} << 20U, (std::uint64_t{1} << 20U) + 1, std::uint64_t{1} << 63U,
        ~std::uint64_t{0}, ~std::uint64_t{0} - 8}) {
    std::string bytes = good;
    std::memcpy(bytes.data(), &size, 8);
    INFO(size);
    CHECK(refused(bytes));
  }
}

TEST_CASE("random damage is refused or read, never more") {
  const std::string good = write_safetensors(examples());
  Rng rng(1, "damage");
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    const std::uint64_t changes = 1 + rng.below(4);
    for (std::uint64_t i = 0; i < changes; ++i) {
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
    }
    try {
      for (const Tensor& tensor : read_safetensors(bytes, "test")) {
        REQUIRE(tensor.bytes.size() ==
                static_cast<std::size_t>(tensor.elements()) * dtype_size(tensor.dtype));
      }
    } catch (const Error& error) {
      REQUIRE(error.code() == ExitCode::kArtifact);
    }
  }
}
