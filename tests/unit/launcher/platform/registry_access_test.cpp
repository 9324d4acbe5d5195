#include "launcher/platform/registry_access.h"

#include "launcher/platform/file_platform.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/temporary_directory.h"

TEST_CASE("Google's registries may have roots of their own") {
  const test::TemporaryDirectory directory;
  launcher::FilePlatform platform(directory.path() / "metadata.json");
  launcher::RegistryAccess access{.credentials = {{}, {}, platform}, .registry_ca = "registry.pem", .google_ca = {}};
  CHECK(access.roots_for("gcr.io") == "registry.pem");
  access.google_ca = "google.pem";
  CHECK(access.roots_for("gcr.io") == "google.pem");
  CHECK(access.roots_for("us-docker.pkg.dev") == "google.pem");
  CHECK(access.roots_for("registry.example") == "registry.pem");
}
