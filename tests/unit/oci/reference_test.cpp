#include "oci/reference.h"

#include "base/error.h"
#include "tests/unit/catch.h"

namespace oci {
namespace {

const std::string kSomeDigest = "sha256:" + std::string(64, 'a');

}  // namespace

TEST_CASE("a reference gets its full name") {
  struct Case {
    std::string text;
    std::string name;
    std::string host;
    std::string which;
  };
  const std::vector<Case> cases = {
      {"x", "docker.io/library/x:latest", "registry-1.docker.io", "latest"},
      {"user/x:1.0", "docker.io/user/x:1.0", "registry-1.docker.io", "1.0"},
      {"docker.io/x", "docker.io/library/x:latest", "registry-1.docker.io", "latest"},
      {"index.docker.io/library/x", "docker.io/library/x:latest", "registry-1.docker.io", "latest"},
      {"docker.io/a/b/c:t", "docker.io/a/b/c:t", "registry-1.docker.io", "t"},
      {"gcr.io/project/x", "gcr.io/project/x:latest", "gcr.io", "latest"},
      {"GCR.io/project/x", "GCR.io/project/x:latest", "gcr.io", "latest"},
      {"localhost/x", "localhost/x:latest", "localhost", "latest"},
      {"localhost:5000/x:t", "localhost:5000/x:t", "localhost:5000", "t"},
      {"127.0.0.1:5000/x", "127.0.0.1:5000/x:latest", "127.0.0.1:5000", "latest"},
      {"[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000", "latest"},
      {"x:5000", "docker.io/library/x:5000", "registry-1.docker.io", "5000"},
      {"x@" + kSomeDigest, "docker.io/library/x@" + kSomeDigest, "registry-1.docker.io", kSomeDigest},
      {"gcr.io/p/x:t@" + kSomeDigest, "gcr.io/p/x:t@" + kSomeDigest, "gcr.io", kSomeDigest},
      {"us-docker.pkg.dev/p/r/a__b.c-d--e:V_1.x-y", "us-docker.pkg.dev/p/r/a__b.c-d--e:V_1.x-y", "us-docker.pkg.dev",
       "V_1.x-y"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    const auto reference = ImageReference::parse(c.text, "tee-image-reference");
    CHECK(reference.name() == c.name);
    CHECK(reference.registry_host() == c.host);
    CHECK(reference.tag_or_digest() == c.which);
    CHECK(ImageReference::parse(reference.name(), "again").name() == c.name);
  }
}

TEST_CASE("what is no reference is refused") {
  for (const std::string& text : {std::string(),
                                  std::string(":tag"),
                                  std::string("@") + kSomeDigest,
                                  std::string("X"),
                                  std::string("a//b"),
                                  std::string("/a"),
                                  std::string("a/"),
                                  std::string("a b"),
                                  std::string("a\n"),
                                  std::string("a\0b", 3),
                                  std::string("a:"),
                                  std::string("a:-t"),
                                  std::string("a:t/b:"),
                                  std::string("a@sha256:00"),
                                  std::string("a@sha512:") + std::string(128, 'a'),
                                  "a@" + kSomeDigest + "@" + kSomeDigest,
                                  std::string("a___b"),
                                  std::string("a..b"),
                                  std::string("-a"),
                                  std::string("a-"),
                                  std::string("http://gcr.io/x"),
                                  std::string("gcr.io:0/x"),
                                  std::string("gcr.io:65536/x"),
                                  std::string("gcr.io:port/x"),
                                  std::string("-a.io/x"),
                                  std::string("a..io/x"),
                                  std::string("[::1/x"),
                                  std::string("user@host.io/x"),
                                  std::string("../x"),
                                  std::string("host.io/../x"),
                                  std::string("host.io/x?y"),
                                  std::string("host.io/x%2f"),
                                  std::string("\xc3\xa4")}) {
    INFO(text);
    CHECK_THROWS_AS(ImageReference::parse(text, "tee-image-reference"), base::InvalidInput);
  }
}

TEST_CASE("names and tags are accepted up to their limit") {
  const std::string domain = "gcr.io/";
  CHECK_NOTHROW(ImageReference::parse(domain + std::string(255 - domain.size(), 'a'), "r"));
  CHECK_THROWS_AS(ImageReference::parse(domain + std::string(256 - domain.size(), 'a'), "r"), base::InvalidInput);
  CHECK_NOTHROW(ImageReference::parse("a:" + std::string(128, 't'), "r"));
  CHECK_THROWS_AS(ImageReference::parse("a:" + std::string(129, 't'), "r"), base::InvalidInput);
  CHECK_THROWS_WITH(ImageReference::parse(std::string(kMaxReferenceLength + 1, 'a'), "r"),
                    ContainsSubstring("too long"));
}

}  // namespace oci
