#include "evidence/instance_identity.h"

#include <cstdint>

#include "base/encoding.h"
#include "base/error.h"
#include "tests/unit/catch.h"

namespace {

using base::Bytes;
using evidence::encode_instance_identity;
using evidence::InstanceIdentity;
using evidence::parse_instance_identity;

const InstanceIdentity kIdentity{"us-central1-a", 12345, "my-project", 9876543210123456789U, "my-instance", true};

// SEQUENCE { "z", 1, "p", 2, "i", [0] { SEQUENCE { [0] { 3 }, [1] { TRUE } } } }, put together by hand from X.690.
constexpr const char* kByHand = "301d 0c017a 020101 0c0170 020102 0c0169 a00c 300a a003020103 a1030101ff";

Bytes der(std::string text) {
  std::erase(text, ' ');
  return base::hex_decode(text, "test vector");
}

}  // namespace

TEST_CASE("an instance identity survives encoding and parsing") {
  CHECK(parse_instance_identity(encode_instance_identity(kIdentity)) == kIdentity);
  InstanceIdentity test_machine = kIdentity;
  test_machine.is_production = false;
  CHECK(parse_instance_identity(encode_instance_identity(test_machine)) == test_machine);
}

TEST_CASE("an instance identity put together by hand is read") {
  CHECK(parse_instance_identity(der(kByHand)) == InstanceIdentity{"z", 1, "p", 2, "i", true});
}

TEST_CASE("an identity without security members is not one of production") {
  CHECK(parse_instance_identity(der("300f 0c017a 020101 0c0170 020102 0c0169")) ==
        InstanceIdentity{"z", 1, "p", 2, "i", false});
}

TEST_CASE("members that a later format adds are passed over") {
  CHECK(parse_instance_identity(der("3012 0c017a 020101 0c0170 020102 0c0169 a10100")).project_id == "p");
  CHECK(parse_instance_identity(der("301b 0c017a 020101 0c0170 020102 0c0169 a00a 3008 a1030101ff a20100"))
            .is_production);
}

TEST_CASE("every truncation of an instance identity is refused") {
  const Bytes whole = encode_instance_identity(kIdentity);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK_THROWS_AS(parse_instance_identity(base::ByteView(whole).first(length)), base::InvalidInput);
  }
  // Cut inside, with the outer length made to fit.
  for (std::size_t length = 2; length < whole.size(); ++length) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    cut[1] = static_cast<std::uint8_t>(length - 2);
    CAPTURE(length);
    if (length == whole.size() - 9) continue;  // ends right before the optional security members
    CHECK_THROWS_AS(parse_instance_identity(cut), base::InvalidInput);
  }
}

TEST_CASE("negative and too large integers are refused") {
  CHECK_THROWS_WITH(parse_instance_identity(der("300f 0c017a 0201ff 0c0170 020102 0c0169")),
                    ContainsSubstring("projectNumber") && ContainsSubstring("negative"));
  CHECK_THROWS_WITH(parse_instance_identity(der("300f 0c017a 020101 0c0170 020180 0c0169")),
                    ContainsSubstring("instanceId"));
  CHECK_THROWS_WITH(parse_instance_identity(der("3017 0c017a 020101 0c0170 0209 010000000000000000 0c0169")),
                    ContainsSubstring("instanceId"));
  CHECK(parse_instance_identity(der("3017 0c017a 020101 0c0170 0209 00ffffffffffffffff 0c0169")).instance_id ==
        UINT64_MAX);
  CHECK_THROWS_WITH(
      parse_instance_identity(der("301d 0c017a 020101 0c0170 020102 0c0169 a00c 300a a0030201ff a1030101ff")),
      ContainsSubstring("securityVersion"));
}

TEST_CASE("what is BER but not DER is refused") {
  CHECK_THROWS_AS(parse_instance_identity(der("3080 0c017a 020101 0c0170 020102 0c0169 0000")), base::InvalidInput);
  CHECK_THROWS_AS(parse_instance_identity(der("30810f 0c017a 020101 0c0170 020102 0c0169")), base::InvalidInput);
  CHECK_THROWS_AS(parse_instance_identity(der("3010 0c017a 02020001 0c0170 020102 0c0169")), base::InvalidInput);
  CHECK_THROWS_WITH(
      parse_instance_identity(der("301d 0c017a 020101 0c0170 020102 0c0169 a00c 300a a003020103 a103010101")),
      ContainsSubstring("isProduction"));
}

TEST_CASE("bytes behind the identity, wrong types and text that is not UTF-8 are refused") {
  CHECK_THROWS_WITH(parse_instance_identity(der("300f 0c017a 020101 0c0170 020102 0c0169 00")),
                    ContainsSubstring("bytes follow"));
  CHECK_THROWS_WITH(parse_instance_identity(der("300f 13017a 020101 0c0170 020102 0c0169")), ContainsSubstring("zone"));
  CHECK_THROWS_WITH(parse_instance_identity(der("300f 0c01ff 020101 0c0170 020102 0c0169")), ContainsSubstring("zone"));
  CHECK_THROWS_WITH(parse_instance_identity(der("300f 0c0100 020101 0c0170 020102 0c0169")), ContainsSubstring("zone"));
}

TEST_CASE("security members that stand twice are refused") {
  CHECK_THROWS_WITH(
      parse_instance_identity(der("301d 0c017a 020101 0c0170 020102 0c0169 a00c 300a a103010100 a1030101ff")),
      ContainsSubstring("repeated"));
  CHECK_THROWS_WITH(parse_instance_identity(der("3017 0c017a 020101 0c0170 020102 0c0169 a0023000 a0023000")),
                    ContainsSubstring("twice"));
}
