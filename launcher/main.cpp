#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/log.h"
#include "base/service_manager.h"
#include "launcher/launch.h"
#include "launcher/options.h"
#include "launcher/outcome.h"

namespace {

using launcher::ExitCode;

/// Runs the launch on this thread. What is no base::Error is a bug, and has an exit code of its own.
ExitCode run(const launcher::Options& options) {
  asio::io_context context(1);
  base::ServiceManager service_manager(context.get_executor());
  launcher::Launch launch(context.get_executor(), options, service_manager);
  asio::signal_set signals(context, SIGTERM, SIGINT);
  std::function<void(const boost::system::error_code&, int)> on_signal = [&](const auto& cancelled, int) {
    if (cancelled) return;
    launch.stop();
    signals.async_wait(on_signal);
  };
  signals.async_wait(on_signal);
  base::TaskGroup signs_of_life(context.get_executor());
  signs_of_life.spawn(service_manager.keep_alive());
  asio::post(context, [&service_manager] { service_manager.ready(); });
  std::optional<ExitCode> result;
  std::exception_ptr bug;
  asio::co_spawn(context, launch.run(), [&](const std::exception_ptr& failure, ExitCode code) {
    bug = failure;
    if (!failure) result = code;
    signals.cancel();
    signs_of_life.cancel();
  });
  context.run();
  if (bug) std::rethrow_exception(bug);
  return result.value_or(ExitCode::kPanic);
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = 0;
  const auto options = launcher::parse_options(argc, argv, launcher::credentials_directory(), exit_code);
  if (!options) return exit_code;
  base::log::start(options->log_level);
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  // The TPM stack prints what its callers get as errors anyway; the log is one event a line.
  static_cast<void>(::setenv("TSS2_LOG", "all+NONE", 0));
  try {
    return static_cast<int>(run(*options));
  } catch (const std::exception& error) {
    base::log::error("Panic", {{"error", error.what()}});
    return static_cast<int>(ExitCode::kPanic);
  }
}
