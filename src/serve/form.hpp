#pragma once

#include <string>
#include <string_view>

namespace tcrops::serve {

// A file that a form sent.
struct FormFile {
  std::string type;  // its Content-Type, "" when the form does not say
  std::string body;
};

// The boundary in a Content-Type of multipart/form-data; "" when there is none.
[[nodiscard]] std::string form_boundary(std::string_view content_type);

// The one part of a form (RFC 7578), which must be named "file". Throws HttpError 400 for another
// form, or none.
[[nodiscard]] FormFile file_of_form(std::string_view body, std::string_view boundary);

}  // namespace tcrops::serve
