#pragma once

#include <istream>
#include <memory>
#include <streambuf>
#include <string>

namespace tcrops::data {

// Plain bytes of a zstd source, or of one file of a zip: the one whose last path component is
// `member`, or, when that is empty, the only one. Throws Error (kInputData) as input.hpp says.
[[nodiscard]] std::unique_ptr<std::streambuf> archive_stream(std::unique_ptr<std::istream> source,
                                                             std::string name,
                                                             const std::string& member);

}  // namespace tcrops::data
