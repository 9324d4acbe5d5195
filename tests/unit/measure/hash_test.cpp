#include "measure/hash.h"

#include "base/encoding.h"
#include "tests/unit/catch.h"

using measure::HashAlgorithm;

TEST_CASE("algorithms have their TPM identifiers, sizes and names") {
  for (const HashAlgorithm algorithm : measure::kHashAlgorithms) {
    CHECK(measure::hash_algorithm_of(static_cast<std::uint16_t>(algorithm)) == algorithm);
    CHECK(measure::hash_algorithm_named(measure::name_of(algorithm)) == algorithm);
    CHECK(measure::hash(algorithm, base::ByteView{}).size() == measure::digest_size(algorithm));
  }
  CHECK_FALSE(measure::hash_algorithm_of(0x12).has_value());
  CHECK_FALSE(measure::hash_algorithm_named("md5").has_value());
}

TEST_CASE("a hash of parts is the hash of the whole") {
  const base::Bytes a = base::to_bytes("a");
  const base::Bytes bc = base::to_bytes("bc");
  CHECK(base::hex_encode(measure::hash(HashAlgorithm::kSha1, {a, bc})) == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST_CASE("the index of a PCR has one spelling") {
  CHECK(measure::parse_pcr_index("0", "pcrs") == 0);
  CHECK(measure::parse_pcr_index("23", "pcrs") == 23);
  for (const char* text : {"", "24", "04", "+4", "-1", "4 ", " 4", "0x4", "4294967300", "a"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH(measure::parse_pcr_index(text, "pcrs"), ContainsSubstring("pcrs: \"" + std::string(text)));
  }
  CHECK_THROWS_WITH(measure::parse_pcr_index(std::string(100000, '9'), "pcrs"),
                    "pcrs: \"" + std::string(16, '9') + "\" is no PCR index");
}
