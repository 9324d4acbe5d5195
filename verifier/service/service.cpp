#include "verifier/service/service.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/asio.h"
#include "base/clock.h"
#include "base/directory_watch.h"
#include "base/error.h"
#include "base/log.h"
#include "base/semaphore.h"
#include "base/service_manager.h"
#include "net/http_server.h"
#include "verifier/service/admin_api.h"
#include "verifier/service/api.h"
#include "verifier/service/appraisers.h"
#include "verifier/service/issue_token.h"
#include "verifier/service/knowledge.h"
#include "verifier/reference/seen_publications.h"
#include "verifier/service/startup_check.h"
#include "verifier/tokens/key_store.h"

namespace verifier {
namespace {

constexpr base::Milliseconds kStopGrace{5000};
constexpr mode_t kAdminSocketMode = 0600;
/// Requests that come in at the same time: some of the largest, and hundreds of real ones, which are below 100 KiB.
constexpr std::size_t kMaxBufferedBytes = 4 * kMaxRequestBytes;
constexpr net::HttpServerLimits kLimits{.max_body_bytes = kMaxRequestBytes, .max_buffered_bytes = kMaxBufferedBytes};

/// All that the configuration leads to, read and checked.
struct Loaded {
  std::shared_ptr<const Knowledge> knowledge;
  std::shared_ptr<const Signers> signers;
  std::optional<net::HttpServerCertificate> certificate;
  std::vector<std::string> warnings;

  static Loaded from(Config config, std::shared_ptr<const Signers> signers, base::WallTime now) {
    expect_tls_key(config.listen);
    Loaded loaded;
    if (config.listen.tls) {
      loaded.certificate =
          net::HttpServerCertificate::load({config.listen.tls->certificate, config.listen.tls->private_key});
    }
    loaded.signers = std::move(signers);
    loaded.knowledge = std::make_shared<const Knowledge>(Knowledge::load(std::move(config)));
    // Last, so that what can't be used for another reason is not noted as used.
    note_not_older(loaded.knowledge->config.state_directory, loaded.knowledge->reference_values.publications());
    loaded.warnings = startup_warnings(loaded.knowledge->config, loaded.knowledge->reference_values, now);
    return loaded;
  }

  /// For a service that runs with `old`.
  static Loaded again(const std::filesystem::path& file, const Config& old, const KeyStore& keys, base::WallTime now) {
    Config config = Config::load(file);
    expect_unchanged(config, old);
    auto signers = load_signers(keys, config.keys, now);
    return from(std::move(config), std::move(signers), now);
  }
};

void log_loaded(std::string_view message, const Loaded& loaded, base::WallTime now) {
  for (const std::string& warning : loaded.warnings) base::log::warning(warning);
  const Knowledge& knowledge = *loaded.knowledge;
  base::log::info(message, {{"issuer", knowledge.config.issuer},
                            {"images", std::to_string(knowledge.reference_values.size())},
                            {"key_id", loaded.signers->oidc.keys().signing(now).key.key_id()},
                            {"pki", loaded.signers->pki ? "true" : "false"}});
}

class Service {
 public:
  Service(asio::io_context& context, const ServeOptions& options, KeyStore keys, std::string key_trouble,
          const Loaded& loaded)
      : executor_(context.get_executor()),
        config_file_(options.config),
        keys_(std::move(keys)),
        service_manager_(executor_),
        appraisers_(executor_, options.threads),
        api_(executor_, loaded.knowledge, loaded.signers, clock_, appraisers_),
        server_(
            executor_, [this](net::HttpServerRequest& request) { return api_.handle(request); }, kLimits,
            [this](const net::HttpServerRequest& head) { return api_.admit(head); }),
        admin_api_(api_, clock_),
        admin_server_(executor_, [this](net::HttpServerRequest& request) { return answer_operator(request); }),
        keys_watch_(executor_, loaded.knowledge->config.state_directory, kSigningKeysFile),
        one_at_a_time_(executor_, 1),
        key_trouble_(std::move(key_trouble)),
        background_(executor_),
        reloads_(executor_) {}

  /// Where it listens, for people and for tests.
  std::string listen(const std::optional<net::HttpServerCertificate>& certificate) {
    const ListenConfig& config = api_.knowledge().config.listen;
    const std::uint16_t port = server_.listen_tcp(config.address, config.port, certificate, config.trusted_proxies);
    const bool is_ipv6 = config.address.find(':') != std::string::npos;
    return std::string(config.tls ? "https" : "http") + "://" +
           (is_ipv6 ? "[" + config.address + "]" : config.address) + ":" + std::to_string(port);
  }

  /// For the operator, who is told why a machine gets the token that it gets. A path that is too long for a socket
  /// keeps nobody from serving.
  void listen_for_operator() {
    const std::filesystem::path socket = api_.knowledge().config.state_directory / kAdminSocket;
    try {
      admin_server_.listen_unix(socket, kAdminSocketMode);
    } catch (const base::Error& error) {
      base::log::warning("there is no socket for the operator", {{"error", error.what()}});
    }
  }

  base::Awaitable<void> run(asio::signal_set& signals) {
    background_.spawn(service_manager_.keep_alive());
    background_.spawn(follow_keys_file());
    background_.spawn(follow_time());
    service_manager_.ready();
    for (;;) {
      const int number = co_await signals.async_wait(asio::use_awaitable);
      if (number != SIGHUP) {
        base::log::info("stopping", {{"signal", number}});
        break;
      }
      ask_for_reload();
    }
    service_manager_.stopping();
    stopping_ = true;
    reloads_.cancel();
    co_await admin_server_.stop(base::Milliseconds(0));
    co_await server_.stop(kStopGrace);
    // Keys that are being changed are changed to the end.
    const auto turn = co_await one_at_a_time_.enter(kStopGrace);
    background_.cancel();
  }

  /// Whether a thread may still be reading: the process must then end without waiting for it.
  bool left_something_behind() const noexcept { return reloading_ || tending_; }

 private:
  base::Awaitable<net::HttpResponse> answer_operator(const net::HttpServerRequest& request) const {
    co_return admin_api_.handle(request);
  }

  /// Who asks while a reload is under way gets another one behind it: the files may have changed since.
  void ask_for_reload() {
    asked_again_ = true;
    if (!std::exchange(reloading_, true)) reloads_.spawn(reload_as_asked());
  }

  base::Awaitable<void> reload_as_asked() {
    do {
      asked_again_ = false;
      co_await reload();
    } while (asked_again_);
    reloading_ = false;
  }

  /// Reads on a thread of its own, since files may be many and making sure of keys takes long.
  base::Awaitable<void> reload() {
    const auto turn = co_await one_at_a_time_.enter(kAsLongAsItTakes);
    service_manager_.reloading();
    auto load = [file = config_file_, old = api_.knowledge().config, keys = keys_, now = clock_.wall()] {
      return Loaded::again(file, old, keys, now);
    };
    const auto no_deadline = [] { return base::Error("reading takes too long"); };
    try {
      const Loaded loaded = co_await base::run_on_own_thread(kReloadPatience, std::move(load), no_deadline);
      if (loaded.certificate) server_.use(*loaded.certificate);
      warn_of_lost_pki(*loaded.signers);
      api_.use(loaded.knowledge, loaded.signers);
      log_loaded("reloaded", loaded, clock_.wall());
      log_keys();
    } catch (const std::exception& error) {
      if (stopping_) throw;
      base::log::error("reload failed, nothing has changed", {{"error", error.what()}});
    }
    service_manager_.ready();
  }

  /// Has keys that a person adds, promotes or retires count at once.
  base::Awaitable<void> follow_keys_file() {
    for (;;) {
      co_await keys_watch_.replaced();
      co_await tend();
    }
  }

  /// Has keys follow each other by themselves. The time of day may jump, hence no long naps.
  base::Awaitable<void> follow_time() {
    constexpr base::Milliseconds kLongestNap{30000};
    for (;;) {
      co_await tend();
      const auto nap = std::chrono::duration_cast<base::Milliseconds>(api_.knowledge().config.keys.publication) / 10;
      co_await base::sleep_for(executor_, std::min(nap, kLongestNap));
    }
  }

  base::Awaitable<void> tend() {
    const auto turn = co_await one_at_a_time_.enter(kAsLongAsItTakes);
    const base::WallTime now = clock_.wall();
    auto tend = [shared = api_.shared_signers(), keys = keys_, policy = api_.knowledge().config.keys, now] {
      return tend_signers(*shared, keys, policy, now);
    };
    const auto no_deadline = [] { return base::Error("reading takes too long"); };
    std::string trouble;
    tending_ = true;
    try {
      const auto signers = co_await base::run_on_own_thread(kReloadPatience, std::move(tend), no_deadline);
      warn_of_lost_pki(*signers);
      api_.use(signers);
      auto look = [shared = api_.shared_signers(), now] { return trouble_with_keys(*shared, now); };
      trouble = co_await base::run_on_own_thread(kReloadPatience, std::move(look), no_deadline);
    } catch (const std::exception& error) {
      if (stopping_) throw;
      trouble = error.what();
    }
    tending_ = false;
    if (!trouble.empty() && trouble != key_trouble_) {
      base::log::error("there is trouble with the signing keys", {{"error", trouble}});
    }
    if (trouble.empty() && !key_trouble_.empty()) base::log::info("the signing keys are well again");
    key_trouble_ = trouble;
    log_keys();
    warn_of_pki();
  }

  /// What of the keys has changed since the last look.
  void log_keys() {
    const KeyRing& keys = api_.signers().oidc.keys();
    std::set<std::string> key_ids;
    for (const RingKey& key : keys.keys()) key_ids.insert(key.key.key_id());
    const std::string& signing = keys.signing(clock_.wall()).key.key_id();
    const bool is_first_look = signing_key_id_.empty();
    for (const std::string& key_id : key_ids) {
      if (!is_first_look && !key_ids_.contains(key_id)) base::log::info("a key is published", {{"key_id", key_id}});
    }
    if (!is_first_look && signing != signing_key_id_) {
      base::log::info("another key signs tokens", {{"key_id", signing}, {"before", signing_key_id_}});
    }
    for (const std::string& key_id : key_ids_) {
      if (!key_ids.contains(key_id)) base::log::info("a key is published no more", {{"key_id", key_id}});
    }
    key_ids_ = std::move(key_ids);
    signing_key_id_ = signing;
  }

  /// Of signers that are to take the place of those in use.
  void warn_of_lost_pki(const Signers& next) const {
    if (!api_.signers().pki || next.pki) return;
    base::log::warning("the PKI is gone from the state folder: there are no PKI tokens any more");
  }

  void warn_of_pki() {
    const base::WallTime now = clock_.wall();
    if (!api_.signers().pki || now < warned_of_pki_ + std::chrono::hours(24)) return;
    const base::WallTime end = api_.signers().pki->intermediate_ends();
    if (now < end - kIntermediateWarning) return;
    base::log::warning("the PKI's intermediate certificate ends: make another one with cs-verifier pki renew",
                       {{"end", base::to_rfc3339(end)}});
    warned_of_pki_ = now;
  }

  static constexpr base::Milliseconds kAsLongAsItTakes = std::chrono::hours(24);
  static constexpr base::Milliseconds kReloadPatience{60000};

  asio::any_io_executor executor_;
  std::filesystem::path config_file_;
  KeyStore keys_;
  base::Clock clock_ = base::Clock::system();
  base::ServiceManager service_manager_;
  Appraisers appraisers_;
  Api api_;
  net::HttpServer server_;
  AdminApi admin_api_;
  net::HttpServer admin_server_;
  base::DirectoryWatch keys_watch_;
  base::Semaphore one_at_a_time_;  ///< who reads files and then puts what he read in the place of what was there
  std::string key_trouble_;        ///< as it was told last; empty: all is well
  std::set<std::string> key_ids_;  ///< as they were told last, like the next
  std::string signing_key_id_;
  base::WallTime warned_of_pki_{};
  base::TaskGroup background_;
  base::TaskGroup reloads_;
  bool reloading_ = false;
  bool tending_ = false;
  bool asked_again_ = false;
  bool stopping_ = false;
};

/// A token that is away may come back while the service runs, and is trouble until then; anything else is thrown, as it
/// is better known at the start.
std::string trouble_at_start(const SigningKey& key) {
  try {
    key.expect_signs();
    return {};
  } catch (const SigningKeyUnavailable& error) {
    base::log::error("the key that signs tokens can't be had yet", {{"error", error.what()}});
    return error.what();
  }
}

}  // namespace

void serve(const ServeOptions& options) {
  asio::io_context context(1);
  asio::signal_set signals(context, SIGTERM, SIGINT, SIGHUP);  // from the start on: those that come early are kept
  Config config = Config::load(options.config);
  const base::WallTime now = base::Clock::system().wall();
  const KeyStore keys = key_store_of(config);
  auto signers = open_signers(keys, config.keys, now);
  std::string key_trouble = trouble_at_start(signers->oidc.keys().signing(now).key);
  Loaded loaded = Loaded::from(std::move(config), std::move(signers), now);
  log_loaded("ready to appraise", loaded, now);
  Service service(context, options, keys, std::move(key_trouble), loaded);
  const std::string url = service.listen(loaded.certificate);
  service.listen_for_operator();
  asio::co_spawn(context, service.run(signals), [](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
  });
  loaded = {};  // a reload sets free what it replaces
  base::log::info("listening", {{"url", url}});
  context.run();
  base::log::info("stopped");
  if (service.left_something_behind()) std::_Exit(EXIT_SUCCESS);
}

}  // namespace verifier
