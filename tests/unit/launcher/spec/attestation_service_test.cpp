#include "launcher/spec/attestation_service.h"

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/policy.h"

using launcher::AttestationService;
using launcher::AttestationSpec;
using launcher::parse_attestation_service;
using launcher::PublicService;

TEST_CASE("a service has a name, a URL, and perhaps roots of its own") {
  CHECK(parse_attestation_service("https://v.example") ==
        AttestationService{.name = "default", .url = "https://v.example"});
  CHECK(parse_attestation_service("corp=https://v.example:8443,/etc/ca.pem") ==
        AttestationService{.name = "corp", .url = "https://v.example:8443", .ca_file = "/etc/ca.pem"});
  CHECK(parse_attestation_service("a-b._1=http://127.0.0.1:8080").name == "a-b._1");
  for (const char* wrong :
       {"", "corp", "corp=", "=https://v.example", "a b=https://v.example", "a/b=https://v.example",
        "corp=http://v.example", "corp=https://v.example/v1", "corp=https://u:p@v.example", "https://v.example/?x=y"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(parse_attestation_service(wrong), base::InvalidInput);
  }
  CHECK_THROWS_AS(parse_attestation_service(std::string(65, 'a') + "=https://v.example"), base::InvalidInput);
  CHECK_NOTHROW(parse_attestation_service(std::string(64, 'a') + "=https://v.example"));
}

TEST_CASE("the operator chooses among the machine's services, and has no other") {
  const std::vector<AttestationService> services = {
      {.name = "corp", .url = "https://corp.example"},
      {.name = "google", .url = "https://confidentialcomputing.googleapis.com:443"},
      {.name = "next", .url = "https://staging-confidentialcomputing.sandbox.googleapis.com"}};
  struct Row {
    AttestationSpec wishes;
    const char* chosen;
    const char* problem;
  };
  for (const Row& row :
       {Row{{}, "corp", ""}, Row{{.service = "next"}, "next", ""},
        Row{{.public_service = PublicService::kProd}, "google", ""},
        Row{{.public_service = PublicService::kStaging}, "next", ""},
        Row{{.service = "Corp"},
            "corp",
            "tee-attestation-service: unknown attestation service \"Corp\", the machine's image names [corp google "
            "next]"},
        Row{{.service = "https://corp.example"},
            "corp",
            "tee-attestation-service: unknown attestation service \"https://corp.example\", the machine's image names "
            "[corp google next]"},
        Row{{.public_service = PublicService::kAutopush},
            "corp",
            "gca-service-env: no service has the URL https://autopush-confidentialcomputing.sandbox.googleapis.com, "
            "the machine's image names [corp google next]"}}) {
    launcher::Problems problems;
    CHECK(launcher::choose(services, row.wishes, problems).name == row.chosen);
    CHECK(test::text_of(problems) == row.problem);
  }
}

TEST_CASE("who asks for the usual public service asks for nothing where the image has another") {
  const std::vector<AttestationService> services = {{.name = "corp", .url = "https://corp.example"}};
  launcher::Problems problems;
  CHECK(launcher::choose(services, {.public_service = PublicService::kProd}, problems).name == "corp");
  CHECK(problems.empty());
}
