#include "form.hpp"

#include "http.hpp"

#include <catch2/catch.hpp>

using namespace tcrops::serve;

namespace {

std::string part(const std::string& name, const std::string& more = "") {
  return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"a;b.csv\"" +
         more + "\r\n\r\n";
}

}  // namespace

TEST_CASE("the boundary of a form") {
  CHECK(form_boundary("multipart/form-data; boundary=abc") == "abc");
  CHECK(form_boundary("Multipart/Form-Data; charset=x; Boundary=\"a b\"") == "a b");
  CHECK(form_boundary("text/csv; boundary=abc").empty());
  CHECK_THROWS_AS(form_boundary("multipart/form-data"), HttpError);
  CHECK_THROWS_AS(form_boundary("multipart/form-data; boundary=" + std::string(71, 'x')),
                  HttpError);
}

TEST_CASE("the file of a form") {
  const std::string bytes = "a,b\r\n--c\r\n\r\n\n--b is in it\n";
  const auto file = file_of_form(part("file") + bytes + "\r\n--b--\r\n", "b");
  CHECK(file.body == bytes);
  CHECK(file.type.empty());
  const auto typed = file_of_form(part("file", "\r\nContent-Type: text/csv") + "\r\n--b--", "b");
  CHECK(typed.body.empty());
  CHECK(typed.type == "text/csv");
}

TEST_CASE("another form is refused") {
  const std::string one = part("file") + "x\r\n";
  for (const std::string& body :
       {std::string(), std::string("--b--\r\n"), std::string("--b\r\n"), one, one + "--b",
        one + "--b\r\n", one + one + "--b--\r\n", part("table") + "x\r\n--b--\r\n",
        "x" + one + "--b--\r\n", std::string("--b\r\nno colon\r\n\r\nx\r\n--b--\r\n"),
        std::string("--b\r\n\r\nx\r\n--b--\r\n")}) {
    CAPTURE(body);
    CHECK_THROWS_AS(file_of_form(body, "b"), HttpError);
  }
}
