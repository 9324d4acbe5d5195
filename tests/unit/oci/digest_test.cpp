#include "oci/digest.h"

#include "base/error.h"
#include "tests/unit/catch.h"

namespace oci {

TEST_CASE("a digest is taken from bytes and from text") {
  const std::string empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  CHECK(Digest::of({}).string() == empty);
  CHECK(Digest::parse(empty, "x") == Digest::of({}));
}

TEST_CASE("a digest with another algorithm, in capitals or of another length is refused") {
  const std::string hex(64, 'a');
  for (const std::string& text :
       {std::string(), std::string("sha256:"), hex, "sha512:" + hex + hex, "SHA256:" + hex,
        "sha256:" + std::string(64, 'A'), "sha256:" + std::string(63, 'a'), "sha256:" + std::string(65, 'a'),
        "sha256:" + std::string(63, 'a') + "g", "sha256:" + hex + "\n", " sha256:" + hex, "sha256-" + hex}) {
    INFO(text);
    CHECK_THROWS_AS(Digest::parse(text, "field"), base::InvalidInput);
  }
  CHECK_THROWS_WITH(Digest::parse("md5:00", "image manifest.config.digest"),
                    ContainsSubstring("image manifest.config.digest"));
}

}  // namespace oci
