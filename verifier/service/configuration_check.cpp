#include "verifier/service/configuration_check.h"

#include <iterator>
#include <optional>

#include "base/act_as_owner.h"
#include "base/error.h"
#include "net/http_server.h"
#include "verifier/reference/seen_publications.h"
#include "verifier/service/config.h"
#include "verifier/service/knowledge.h"
#include "verifier/service/startup_check.h"
#include "verifier/tokens/pki.h"

namespace verifier {
namespace {

void expect_tls_files(const ListenConfig& listen) {
  expect_tls_key(listen);
  if (listen.tls) net::HttpServerCertificate::load({listen.tls->certificate, listen.tls->private_key});
}

void expect_keys(const Config& config, base::WallTime now) {
  const KeyStore store = key_store_of(config);  // a token's library is asked for even where there is no key yet
  if (!std::filesystem::exists(config.state_directory / kSigningKeysFile)) return;
  store.look(now).signing(now).key.expect_signs();
}

void expect_pki(const Config& config, base::WallTime now) {
  const std::filesystem::path folder = config.state_directory / kPkiFolder;
  if (std::filesystem::exists(folder)) PkiAuthority::load(folder, now);
}

}  // namespace

ConfigurationCheck check_configuration(const std::filesystem::path& file, base::WallTime now) {
  ConfigurationCheck check;
  const auto attempt = [&](const auto& part) {
    try {
      part();
    } catch (const base::Error& error) {
      check.errors.emplace_back(error.what());
    }
  };
  std::optional<Config> config;
  try {
    config = Config::load(file);
  } catch (const base::SystemError&) {
    throw;
  } catch (const base::Error& error) {
    return {.errors = {error.what()}, .warnings = {}};
  }

  const base::ActAsOwner as_the_service(config->state_directory);
  attempt([&] { expect_tls_files(config->listen); });
  attempt([&] { expect_keys(*config, now); });
  attempt([&] { expect_pki(*config, now); });
  auto troubles = troubles_with_files(*config);
  std::ranges::move(troubles, std::back_inserter(check.errors));
  if (!check.errors.empty()) return check;

  attempt([&] {
    const Knowledge knowledge = Knowledge::load(*config);
    expect_not_older(config->state_directory, knowledge.reference_values.publications());
    check.warnings = startup_warnings(*config, knowledge.reference_values, now);
  });
  return check;
}

}  // namespace verifier
