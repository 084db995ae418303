#pragma once

#include <span>
#include <string_view>

namespace tcrops::serve {

// A file of src/serve/pages, or the chart library, as it was compiled in.
struct PageFile {
  std::string_view name;  // "style.css"
  std::string_view text;
};

[[nodiscard]] std::span<const PageFile> page_files();

}  // namespace tcrops::serve
