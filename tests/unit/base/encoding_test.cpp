#include "base/encoding.h"

#include <cctype>

#include "base/error.h"
#include "tests/unit/catch.h"

using base::Bytes;

TEST_CASE("hexadecimal is written in lower case and read in either") {
  CHECK(base::hex_encode(Bytes{0x00, 0xab, 0xff}) == "00abff");
  CHECK(base::hex_decode("00aBFf", "f") == Bytes{0x00, 0xab, 0xff});
  CHECK(base::hex_decode("", "f").empty());
  CHECK_THROWS_WITH(base::hex_decode("abc", "digest"), ContainsSubstring("digest: odd number"));
  CHECK_THROWS_AS(base::hex_decode("0g", "f"), base::InvalidInput);
  CHECK_THROWS_AS(base::hex_decode("0x", "f"), base::InvalidInput);
}

TEST_CASE("base64 follows RFC 4648's vectors") {
  const std::vector<std::pair<std::string, std::string>> vectors = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    CHECK(base::base64_encode(base::view_of(plain)) == encoded);
    CHECK(base::base64_decode(encoded, "f") == base::to_bytes(plain));
  }
  CHECK(base::base64_decode("-_8", "f") == base::base64_decode("+/8=", "f"));
  CHECK(base::base64url_encode(Bytes{0xfb, 0xff}) == "-_8");
}

TEST_CASE("base64 that is read differently by different readers is refused") {
  for (const char* text : {"Z", "Zg=", "Zm9v=", "Zh==", "Zg==\n", " Zg==", "Zm9v!A==", "+_8=", "Z===", "===="}) {
    CAPTURE(text);
    CHECK_THROWS_AS(base::base64_decode(text, "f"), base::InvalidInput);
  }
}

TEST_CASE("base64 of every length and alphabet comes back as it was") {
  Bytes bytes;
  for (int length = 0; length < 300; ++length) {
    std::string padded = base::base64_encode(bytes);
    CHECK(base::base64_decode(padded, "f") == bytes);
    CHECK(base::base64_decode(base::base64url_encode(bytes), "f") == bytes);
    padded.erase(padded.find_last_not_of('=') + 1);
    CHECK(base::base64_decode(padded, "f") == bytes);
    bytes.push_back(static_cast<std::uint8_t>(length * 37));
  }
}

TEST_CASE("what is no digit of base64 is refused wherever it stands") {
  for (int c = 0; c < 256; ++c) {
    const bool is_digit = std::isalnum(c) != 0 || c == '+' || c == '/' || c == '-' || c == '_';
    for (const std::size_t position : {0U, 2U, 7U, 8U}) {
      std::string text(9, 'A');
      text.append("AA");
      text[position] = static_cast<char>(c);
      CAPTURE(c, position);
      if (is_digit) {
        CHECK_NOTHROW(base::base64_decode(text, "f"));
      } else {
        CHECK_THROWS_AS(base::base64_decode(text, "f"), base::InvalidInput);
      }
    }
  }
}

TEST_CASE("UTF-8 is judged as Unicode's table 3-7 says") {
  for (const std::string text :
       {"", "plain", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    CHECK(base::is_utf8(text));
  }
  for (const std::string text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                                 "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "a\xff", "\xc3\x28"}) {
    CAPTURE(base::hex_encode(base::view_of(text)));
    CHECK_FALSE(base::is_utf8(text));
  }
}

TEST_CASE("whole numbers are digits alone") {
  for (const char* text : {"0", "7", "10", "18446744073709551615"}) CHECK(base::why_no_whole_number(text).empty());
  for (const char* text :
       {"", "-1", "+1", "010", "00", "0x10", "1e3", "1.0", " 1", "1 ", "18446744073709551616", "x"}) {
    CAPTURE(text);
    CHECK(base::why_no_whole_number(text) == "is not a whole number");
  }
}
