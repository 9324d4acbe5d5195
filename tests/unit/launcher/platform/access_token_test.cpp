#include "launcher/platform/access_token.h"

#include "base/error.h"
#include "tests/unit/catch.h"

using launcher::is_google_api;
using launcher::is_google_registry;

TEST_CASE("the access token goes to registries of Google and to no other") {
  for (const char* host : {"gcr.io", "us.gcr.io", "marketplace.gcr.io", "docker.pkg.dev", "us-docker.pkg.dev",
                           "europe-west4-docker.pkg.dev"}) {
    CAPTURE(host);
    CHECK(is_google_registry(host));
  }
  for (const char* host : {"",
                           "docker.io",
                           "registry-1.docker.io",
                           "ghcr.io",
                           "quay.io",
                           "localhost:5000",
                           "127.0.0.1:5000",
                           "gcr.io:443",
                           "gcr.io:5000",
                           "gcr.io.example",
                           "example-gcr.io",
                           "notgcr.io",
                           "gcr.iox",
                           "xgcr.io",
                           "pkg.dev",
                           "npm.pkg.dev",
                           "us-npm.pkg.dev",
                           "evildocker.pkg.dev",
                           "us-docker.pkg.dev.example",
                           "us-docker.pkg.dev:5000",
                           "GCR.IO",
                           "gcr.io.",
                           "googleapis.com"}) {
    CAPTURE(host);
    CHECK_FALSE(is_google_registry(host));
  }
}

TEST_CASE("the access token goes to Google's APIs over TLS and to no other") {
  for (const char* url :
       {"https://confidentialcomputing.googleapis.com", "https://confidentialcomputing.googleapis.com/",
        "https://us-central1-confidentialcomputing.googleapis.com:443/v1",
        "HTTPS://ConfidentialComputing.GoogleAPIs.com"}) {
    CAPTURE(url);
    CHECK(is_google_api(url));
  }
  for (const char* url :
       {"http://confidentialcomputing.googleapis.com", "https://googleapis.com", "https://googleapis.com.example",
        "https://xgoogleapis.com", "https://evil.example/.googleapis.com", "https://evil.example?.googleapis.com",
        "https://googleapis.example", "https://127.0.0.1", "https://gcr.io"}) {
    CAPTURE(url);
    CHECK_FALSE(is_google_api(url));
  }
  for (const char* url : {"", "confidentialcomputing.googleapis.com", "https://evil.example#.googleapis.com",
                          "https://a@confidentialcomputing.googleapis.com"}) {
    CAPTURE(url);
    CHECK_THROWS_AS(is_google_api(url), base::InvalidInput);
  }
}
