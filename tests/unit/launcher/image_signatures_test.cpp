#include "launcher/image_signatures.h"

#include <boost/asio/io_context.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "launcher/platform/file_platform.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/fake_registry.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"

namespace {

using base::Json;
using launcher::ImageSignatures;

const oci::Digest kSignedImage = oci::Digest::parse("sha256:" + std::string(64, 'b'), "test");

struct SignedRegistry : test::FakeRegistry {
  using test::FakeRegistry::FakeRegistry;

  /// Replaces what there is.
  void sign(const std::vector<std::string>& payloads) {
    Json layers = Json::array();
    for (const std::string& payload : payloads) {
      const oci::Descriptor blob = add_blob("application/vnd.dev.cosign.simplesigning.v1+json", payload);
      layers.push_back(
          {{"mediaType", blob.media_type},
           {"digest", blob.digest.string()},
           {"size", blob.size},
           {"annotations", {{"dev.cosignproject.cosign/signature", base::base64_encode(base::view_of("s"))}}}});
    }
    add_manifest("sha256-" + std::string(64, 'b') + ".sig", std::string(oci::kOciManifest),
                 Json{{"layers", layers}}.dump());
  }
};

struct SignedRepositories {
  asio::io_context context;
  test::TemporaryDirectory directory;
  launcher::FilePlatform platform{directory.path() / "none"};
  SignedRegistry one{context.get_executor()};
  SignedRegistry two{context.get_executor()};
  ImageSignatures signatures{context.get_executor(),
                             {.credentials = {{}, {}, platform}, .registry_ca = {}, .google_ca = {}},
                             {one.host() + "/repo/x", two.host() + "/repo/x", "no such:repository:"},
                             kSignedImage};

  std::string get(bool refresh) {
    std::string text;
    for (const auto& signature : test::run(context, signatures.get(refresh))) {
      text.append(base::text_of(signature.payload)).append(" ");
    }
    return text;
  }
};

}  // namespace

TEST_CASE("signatures of all repositories are found, kept, and looked for again when asked to") {
  SignedRepositories world;
  const test::CapturedLog log;
  world.two.sign({"b", "c"});
  world.one.sign({"a"});
  CHECK(world.get(false) == "a b c ");
  world.one.sign({"d"});
  CHECK(world.get(false) == "a b c ");
  CHECK(world.get(true) == "d b c ");
  CHECK(log.count("msg=\"Failed to fetch container image signatures from repo\" repo=\"no such:repository:\"") == 2);
  CHECK(log.count("Refreshed container image signature cache") == 2);
}

TEST_CASE("a repository that can't be read keeps what was found there") {
  SignedRepositories world;
  world.one.sign({"a"});
  world.two.sign({"b"});
  CHECK(world.get(true) == "a b ");
  const test::CapturedLog log;
  world.one.fault = [](const net::HttpServerRequest&) { return net::HttpResponse{403, {}, ""}; };
  world.two.sign({"c"});
  CHECK(world.get(true) == "a c ");
  CHECK(log.count("Failed to fetch container image signatures from repo") == 2);
}

TEST_CASE("no more bytes are sent than a verifier is sent") {
  SignedRepositories world;
  const test::CapturedLog log;
  const std::string large(std::size_t{60} << 10U, 'x');
  world.one.sign({large + "1", large + "2", large + "3"});
  world.two.sign({large + "4", large + "5"});
  CHECK(test::run(world.context, world.signatures.get(true)).size() == 4);
  CHECK(log.count("image signatures are left out") >= 1);
}
