#include "launcher/spec/attestation.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/read_attributes.h"

using launcher::Attributes;
using launcher::PublicService;
using launcher::read_attestation;
using test::read_attributes;
using Strings = std::vector<std::string>;

TEST_CASE("without a word about attestation there is the machine's service and its default token") {
  const auto read = read_attributes({}, read_attestation);
  CHECK(read.problems.empty());
  CHECK(read.value.service.empty());
  CHECK_FALSE(read.value.public_service);
  CHECK(read.value.impersonated.empty());
  CHECK(read.value.signature_repositories.empty());
  CHECK(read.value.default_token);
}

TEST_CASE("a service is chosen by its name") {
  CHECK(read_attributes({{"tee-attestation-service", "corp"}}, read_attestation).value.service == "corp");
  const auto public_service = [](const char* text) {
    return read_attributes({{"gca-service-env", text}}, read_attestation).value.public_service;
  };
  CHECK_FALSE(public_service(""));
  CHECK(public_service("PROD") == PublicService::kProd);
  CHECK(public_service("staging") == PublicService::kStaging);
  CHECK(public_service("autopush") == PublicService::kAutopush);
  CHECK(read_attributes({{"gca-service-env", "dev"}}, read_attestation).problems ==
        "gca-service-env: the gca service env is not within the allowlist, want [prod staging autopush], got dev");
  CHECK(
      read_attributes({{"gca-service-env", "prod"}, {"tee-attestation-service", "corp"}}, read_attestation).problems ==
      "both tee-attestation-service and gca-service-env are specified, only one is permitted");
}

TEST_CASE("service accounts are plain addresses, as many as the limit") {
  const auto read = [](const std::string& text) {
    return read_attributes({{"tee-impersonate-service-accounts", text}}, read_attestation);
  };
  CHECK(read("a@p.iam.gserviceaccount.com,,b@x.example").value.impersonated ==
        Strings{"a@p.iam.gserviceaccount.com", "b@x.example"});
  for (const char* text : {"a", "@x", "a@", "a@b@c", "a@x/../y", " a@x", "a@x?y", "a@x\n"}) {
    CAPTURE(text);
    CHECK_THAT(read(text).problems, StartsWith("tee-impersonate-service-accounts: \"") &&
                                        EndsWith("\" is not the email address of a service account"));
  }
  std::string many;
  for (std::size_t i = 0; i < launcher::kMaxImpersonated; ++i) many += "a@b,";
  CHECK(read(many).problems.empty());
  CHECK(read(many + "a@b").problems == "tee-impersonate-service-accounts: more than 15 of them");
}

TEST_CASE("repositories of signatures are a list, and the default token can be left out") {
  const auto read =
      read_attributes({{"tee-signed-image-repos", "a/b,c/d"}, {"tee-disable-gca-refresh", "1"}}, read_attestation);
  CHECK(read.value.signature_repositories == Strings{"a/b", "c/d"});
  CHECK_FALSE(read.value.default_token);
  CHECK(read_attributes({{"tee-disable-gca-refresh", "yes"}}, read_attestation).problems ==
        "invalid value for tee-disable-gca-refresh (not a boolean): \"yes\"");
}

TEST_CASE("the public services are Google's hosts") {
  for (const PublicService service : {PublicService::kProd, PublicService::kStaging, PublicService::kAutopush}) {
    CHECK_THAT(std::string(launcher::url_of(service)), StartsWith("https://") && EndsWith(".googleapis.com"));
  }
}
