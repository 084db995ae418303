#include "../../../src/stages/download.hpp"
#include "catch_all.hpp"

using tcrops::stages::join_mirror;
using tcrops::stages::shown_location;

TEST_CASE("a mirror is a folder or a URL") {
  CHECK(join_mirror("/srv/mirror", "a.csv") == "/srv/mirror/a.csv");
  CHECK(join_mirror("/srv/mirror/", "a.csv") == "/srv/mirror/a.csv");
  CHECK(join_mirror("mirror", "a.csv") == "mirror/a.csv");
  CHECK(join_mirror("https://host", "a.csv") == "https://host/a.csv");
  CHECK(join_mirror("https://host/data/", "a.csv") == "https://host/data/a.csv");
  CHECK(join_mirror("https://host/data?token=1", "a.csv") == "https://host/data/a.csv?token=1");
}

TEST_CASE("what is secret in a location is not shown") {
  CHECK(shown_location("https://host/a.csv") == "https://host/a.csv");
  CHECK(shown_location("https://me:secret@host/a.csv?key=secret#x") == "https://host/a.csv");
  CHECK(shown_location("https://me:sec@ret@host") == "https://host");
  CHECK(shown_location("https://host/a@b.csv") == "https://host/a@b.csv");
  CHECK(shown_location("/srv/what?#1@2.csv") == "/srv/what?#1@2.csv");
}
