#include "oci/distribution/image_signatures.h"

#include <functional>

#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "tests/unit/catch.h"
#include "tests/unit/oci/support/registry_world.h"
#include "tests/unit/support/captured_log.h"

namespace oci {
namespace {

using base::Json;
using test::FaultAnswer;

constexpr const char* kSimpleSigningType = "application/vnd.dev.cosign.simplesigning.v1+json";
constexpr const char* kBundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

const Digest kImage = Digest::parse("sha256:" + std::string(64, 'a'), "test");
const std::string kTag = "sha256-" + std::string(64, 'a');

Json descriptor_json(const Descriptor& descriptor) {
  return {{"mediaType", descriptor.media_type}, {"digest", descriptor.digest.string()}, {"size", descriptor.size}};
}

std::string base64_text(const std::string& text) { return base::base64_encode(base::view_of(text)); }

ImageSignature signature_of(const std::string& payload, const std::string& signature) {
  const auto bytes = [](const std::string& text) {
    const base::ByteView view = base::view_of(text);
    return base::Bytes(view.begin(), view.end());
  };
  return {bytes(payload), bytes(signature)};
}

Json bundle_json(const std::string& payload, const std::string& signature) {
  return {{"mediaType", kBundleMediaType},
          {"verificationMaterial", {{"publicKey", {{"hint", "x"}}}}},
          {"dsseEnvelope",
           {{"payload", base64_text(payload)},
            {"payloadType", "application/vnd.in-toto+json"},
            {"signatures", {{{"sig", base64_text(signature)}}}}}}};
}

const std::string kStatementText = R"({"predicateType":"https://sigstore.dev/cosign/sign/v1"})";

/// A repository in which cosign has been at work.
struct SignedWorld : test::RegistryWorld {
  /// A layer of the manifest under `.sig`, whose signature is `encoded`.
  Json layer(const std::string& payload, const std::string& encoded) {
    Json json = descriptor_json(registry.add_blob(kSimpleSigningType, payload));
    json["annotations"] = {{"dev.cosignproject.cosign/signature", encoded}};
    return json;
  }
  void add_simple(const Json& layers) {
    registry.add_manifest(kTag + ".sig", std::string(kOciManifest),
                          Json{{"schemaVersion", 2}, {"layers", layers}}.dump());
  }
  /// A manifest that refers to the image and has this bundle.
  Json referrer(const std::string& bundle) {
    const Descriptor layer = registry.add_blob(kBundleMediaType, bundle);
    const Json document = {{"schemaVersion", 2}, {"layers", {descriptor_json(layer)}}};
    return descriptor_json(
        registry.add_manifest("referrer-" + std::to_string(++referrers_), std::string(kOciManifest), document.dump()));
  }
  static std::string index_of(const Json& referrers) {
    return Json{{"schemaVersion", 2}, {"mediaType", kOciIndex}, {"manifests", referrers}}.dump();
  }
  void add_referrers(const Json& referrers) {
    registry.add_manifest(kTag, std::string(kOciIndex), index_of(referrers));
  }
  std::vector<ImageSignature> find() { return run(find_image_signatures(client, reference(""), kImage)); }

 private:
  int referrers_ = 0;
};

}  // namespace

TEST_CASE("signatures of cosign's two kinds are found, in their order") {
  SignedWorld world;
  world.add_simple(
      {world.layer("payload 1", base64_text("signature 1")), world.layer("payload 2", base64_text("s 2"))});
  world.add_referrers(Json::array({world.referrer(bundle_json(kStatementText, "signature 3").dump())}));
  CHECK(world.find() == std::vector<ImageSignature>{signature_of("payload 1", "signature 1"),
                                                    signature_of("payload 2", "s 2"),
                                                    signature_of(kStatementText, "signature 3")});
}

TEST_CASE("a registry that lists referrers is asked for them") {
  SignedWorld world;
  const Json referrer = world.referrer(bundle_json(kStatementText, "s").dump());
  world.registry.fault = [&](const net::HttpServerRequest& request) -> FaultAnswer {
    if (request.path != "/v2/repo/x/referrers/" + kImage.string()) return std::nullopt;
    return net::HttpResponse{
        200, {{"Content-Type", std::string(kOciIndex)}}, SignedWorld::index_of(Json::array({referrer}))};
  };
  CHECK(world.find() == std::vector<ImageSignature>{signature_of(kStatementText, "s")});
}

TEST_CASE("an image that nobody has signed has no signatures") {
  SignedWorld world;
  CHECK(world.find().empty());
  CHECK(world.registry.count(".sig") == 1);  // what is not there is not asked for again
}

TEST_CASE("what is malformed, too large or for another purpose is passed over") {
  SignedWorld world;
  const test::CapturedLog log;
  const std::string huge(kMaxSignatureDocumentBytes + 1, 'x');
  world.add_simple({world.layer("bad signature", "***"), world.layer(huge, base64_text("s")), world.layer("none", ""),
                    world.layer("good", base64_text("s")),
                    world.layer("long", base64_text(std::string(kMaxSignatureBytes + 1, 's'))),
                    world.layer("longest", base64_text(std::string(kMaxSignatureBytes, 's')))});
  Json keyless = bundle_json(kStatementText, "s");
  keyless["verificationMaterial"] = {{"certificate", {{"rawBytes", "AA=="}}}};
  world.add_referrers({world.referrer("no JSON"), world.referrer(keyless.dump()),
                       world.referrer(bundle_json(R"({"predicateType":"https://slsa.dev/provenance/v1"})", "s").dump()),
                       world.referrer(R"({"messageSignature":{}})")});
  CHECK(world.find() == std::vector<ImageSignature>{signature_of("good", "s"),
                                                    signature_of("longest", std::string(kMaxSignatureBytes, 's'))});
  CHECK(log.count("a signature was passed over") == 3);
}

TEST_CASE("a blob that is not what its digest says is an error") {
  SignedWorld world;
  Json layer = world.layer("payload", base64_text("s"));
  world.registry.fault = [](const net::HttpServerRequest& request) -> FaultAnswer {
    if (request.path.find("/blobs/") == std::string::npos) return std::nullopt;
    return net::HttpResponse{200, {}, "swapped"};
  };
  world.add_simple(Json::array({layer}));
  CHECK_THROWS_AS(world.find(), base::Error);
}

TEST_CASE("a refusal is an error, other than that there is nothing") {
  SignedWorld world;
  unsigned status = 403;
  world.registry.fault = [&](const net::HttpServerRequest&) -> FaultAnswer {
    return net::HttpResponse{status, {}, ""};
  };
  CHECK_THROWS_AS(world.find(), RegistryError);
  status = 503;
  CHECK_THROWS_AS(world.find(), RegistryError);
}

TEST_CASE("no more is read than the limits say") {
  SignedWorld world;
  Json layers = Json::array();
  for (std::size_t i = 0; i <= kMaxSignaturesOfRepository; ++i) {
    layers.push_back(world.layer("payload " + std::to_string(i), base64_text("s")));
  }
  world.add_simple(layers);
  CHECK(world.find().size() == kMaxSignaturesOfRepository);
  CHECK(world.registry.count("/blobs/") == kMaxSignaturesOfRepository);
  CHECK(parse_signature_manifest(Json{{"layers", layers}}.dump()).size() == kMaxSignaturesOfRepository);

  SignedWorld other;
  Json referrers = Json::array();
  for (std::size_t i = 0; i <= kMaxReferrers; ++i) {
    referrers.push_back(other.referrer(bundle_json(kStatementText, "s" + std::to_string(i)).dump()));
  }
  other.add_referrers(referrers);
  CHECK(other.find().size() == kMaxReferrers);
}

TEST_CASE("what is kept of a repository does not grow with what is in it") {
  SignedWorld world;
  const std::string statement =
      Json{{"predicateType", "https://sigstore.dev/cosign/sign/v1"}, {"x", std::string(40000, 'x')}}.dump();
  Json bundle = bundle_json(statement, "s");
  bundle["dsseEnvelope"]["signatures"] = Json(std::size_t{300}, Json{{"sig", base64_text("s")}});
  CHECK(parse_signature_bundle(bundle.dump()).size() == kMaxSignaturesOfBundle);
  Json referrers = Json::array();
  for (int i = 0; i < 10; ++i)
    referrers.push_back(world.referrer(bundle.dump() + std::string(static_cast<std::size_t>(i), ' ')));
  world.add_referrers(referrers);
  std::size_t bytes = 0;
  for (const ImageSignature& signature : world.find()) bytes += signature.payload.size() + signature.signature.size();
  CHECK(bytes > kMaxSignatureBytesOfRepository / 2);
  CHECK(bytes <= kMaxSignatureBytesOfRepository);
  CHECK(world.registry.count("/blobs/") == 2);  // the second has filled it
}

TEST_CASE("a bundle that is none is an error that names the field") {
  const auto with = [](const std::function<void(Json&)>& change) -> std::string {
    Json bundle = bundle_json(kStatementText, "s");
    change(bundle);
    try {
      return std::to_string(parse_signature_bundle(bundle.dump()).size());
    } catch (const base::InvalidInput& error) {
      return error.what();
    }
  };
  CHECK(with([](Json&) {}) == "1");
  CHECK(with([](Json& b) { b.erase("verificationMaterial"); }) == "1");
  CHECK(with([](Json& b) { b["dsseEnvelope"]["payloadType"] = "text/plain"; }) == "0");
  CHECK(with([](Json& b) { b["dsseEnvelope"]["signatures"] = Json::array(); }) == "0");
  CHECK_THAT(with([](Json& b) { b["dsseEnvelope"]["payload"] = "*"; }),
             ContainsSubstring("bundle.dsseEnvelope.payload"));
  CHECK_THAT(with([](Json& b) { b["dsseEnvelope"]["signatures"][0].erase("sig"); }),
             ContainsSubstring("signatures[0].sig: is missing"));
  CHECK_THAT(with([](Json& b) { b["dsseEnvelope"] = 1; }), ContainsSubstring("bundle.dsseEnvelope"));
}

}  // namespace oci
