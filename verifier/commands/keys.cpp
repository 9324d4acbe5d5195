#include <functional>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "base/act_as_owner.h"
#include "base/clock.h"
#include "base/error.h"
#include "verifier/commands/commands.h"
#include "verifier/service/config.h"
#include "verifier/tokens/key_store.h"

namespace verifier {
namespace {

struct KeyOptions {
  std::string config = kConfigFile;
  std::string key_id;
  std::optional<std::string> pkcs11_id = {};
  bool json = false;
  bool now = false;
};

base::Json dates_json(const KeyRing& keys, const RingKey& key, base::WallTime now) {
  base::Json json = {{"kid", key.key.key_id()},
                     {"state", name_of(keys.state_of(key, now))},
                     {"created", base::to_rfc3339(key.created)}};
  if (const std::string id = key.key.pkcs11_id(); !id.empty()) json["pkcs11_id"] = id;
  if (key.signs_from) json["signs_from"] = base::to_rfc3339(*key.signs_from);
  if (const auto end = keys.tokens_end(key, now)) json["tokens_until"] = base::to_rfc3339(*end);
  return json;
}

void print_keys(const KeyRing& keys, base::WallTime now, bool as_json) {
  base::Json list = base::Json::array();
  for (const RingKey& key : keys.keys()) list.push_back(dates_json(keys, key, now));
  if (as_json) {
    std::cout << base::Json{{"keys", std::move(list)}}.dump(2) << '\n';
    return;
  }
  constexpr int kStateWidth = 10;
  constexpr int kTimeWidth = 21;
  std::cout << std::left << std::setw(kStateWidth) << "STATE" << std::setw(kTimeWidth) << "CREATED"
            << std::setw(kTimeWidth) << "SIGNS FROM" << std::setw(kTimeWidth) << "TOKENS UNTIL"
            << "KEY ID\n";
  for (const base::Json& key : list) {
    std::cout << std::setw(kStateWidth) << key.at("state").get<std::string>() << std::setw(kTimeWidth)
              << key.at("created").get<std::string>() << std::setw(kTimeWidth) << key.value("signs_from", "-")
              << std::setw(kTimeWidth) << key.value("tokens_until", "-") << key.at("kid").get<std::string>() << '\n';
  }
}

void list_keys(const KeyOptions& options, const Config& config, base::WallTime now) {
  print_keys(key_store_of(config).read(now), now, options.json);
}

void add_key(const KeyOptions& options, const Config& config, base::WallTime now) {
  std::optional<base::Bytes> pkcs11_id;
  if (options.pkcs11_id) pkcs11_id = parse_pkcs11_id(*options.pkcs11_id, "--pkcs11-id");
  const KeyStore store = key_store_of(config);
  const SigningKey key = store.add(pkcs11_id, base::Clock::system().wall);
  const base::WallTime created = store.read(now).at(key.key_id()).created;
  std::cout << key.key_id() << '\n'
            << "published from now on; may sign from " << base::to_rfc3339(created + config.keys.publication) << '\n';
}

void promote_key(const KeyOptions& options, const Config& config, base::WallTime now) {
  base::WallTime from;
  key_store_of(config).change(now, [&](KeyRing& keys) {
    from = keys.promote(options.key_id, config.keys, now, options.now);
    keys.at(options.key_id).key.expect_signs();  // else tokens would end when its time has come
    return true;
  });
  std::cout << "signs from " << base::to_rfc3339(from) << '\n';
}

void retire_key(const KeyOptions& options, const Config& config, base::WallTime now) {
  key_store_of(config).change(now, [&](KeyRing& keys) {
    keys.retire(options.key_id, now, options.now);
    return true;
  });
  std::cout << "retired\n";
}

}  // namespace

void add_keys_command(CLI::App& app) {
  auto options = std::make_shared<KeyOptions>();
  CLI::App* keys = app.add_subcommand("keys", "List and change the keys that sign tokens, while the service runs");
  keys->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, std::function<void(const Config&, base::WallTime)> run) {
    CLI::App* command = keys->add_subcommand(name, help);
    command->add_option("--config", options->config, "The service's configuration")->capture_default_str();
    command->callback([options, run = std::move(run)] {
      const Config config = Config::load(options->config);
      const base::ActAsOwner as_the_service(config.state_directory);
      run(config, base::Clock::system().wall());
    });
    return command;
  };
  add("list", "Every key with its state and dates", [options](const Config& config, base::WallTime now) {
    list_keys(*options, config, now);
  })->add_flag("--json", options->json, "Print one JSON document instead of text");
  add("add", "Make a key and publish it", [options](const Config& config, base::WallTime now) {
    add_key(*options, config, now);
  })->add_option("--pkcs11-id", options->pkcs11_id, "Take the key of this CKA_ID, in hexadecimal, from the token");
  CLI::App* promote = add("promote", "Have a published key sign as soon as relying parties know it",
                          [options](const Config& config, base::WallTime now) { promote_key(*options, config, now); });
  promote->add_option("KEY_ID", options->key_id)->required();
  promote->add_flag("--now", options->now, "At once: relying parties that keep the keys refuse its tokens for a while");
  CLI::App* retire = add("retire", "Take a key away of which no token lives",
                         [options](const Config& config, base::WallTime now) { retire_key(*options, config, now); });
  retire->add_option("KEY_ID", options->key_id)->required();
  retire->add_flag("--now", options->now, "Though tokens of it live: relying parties refuse them from now on");
}

}  // namespace verifier
