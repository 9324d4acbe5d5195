#include "measure/uefi/text.h"

#include <string>

#include "base/error.h"
#include "tests/unit/catch.h"

using base::Bytes;
using measure::text_of_utf16;
using measure::utf16_of;

TEST_CASE("UTF-16 becomes UTF-8, and the other way round") {
  const std::string text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91";  // of one, two, three and four bytes
  const Bytes units = {'a', 0, 0xe9, 0, 0xac, 0x20, 0x3d, 0xd8, 0x11, 0xdd};
  CHECK(text_of_utf16(units) == text);
  CHECK(utf16_of(text, "text") == units);
}

TEST_CASE("UTF-16 ends at its first NUL, or with its last whole unit") {
  CHECK(text_of_utf16(Bytes{'a', 0, 0, 0, 'b', 0}) == "a");
  CHECK(text_of_utf16(Bytes{'a', 0, 'b'}) == "a");
  CHECK(text_of_utf16({}).empty());
}

TEST_CASE("Half a surrogate pair is no character") {
  const std::string replacement = "\xef\xbf\xbd";
  CHECK(text_of_utf16(Bytes{0x3d, 0xd8}) == replacement);                // the first half alone, at the end
  CHECK(text_of_utf16(Bytes{0x3d, 0xd8, 'a', 0}) == replacement + "a");  // and ahead of another character
  CHECK(text_of_utf16(Bytes{0x11, 0xdd, 'a', 0}) == replacement + "a");  // the second half alone
}

TEST_CASE("What is not UTF-8 does not become UTF-16") {
  CHECK_THROWS_WITH(utf16_of("\xff", "the field"), "the field: is not UTF-8");
}
