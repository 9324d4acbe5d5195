#include "tpm/tpm_worker.h"

#include <future>
#include <vector>

namespace tpm {
namespace {

/// How long the end of the program waits for a job under way.
constexpr std::chrono::seconds kPatienceAtTheEnd{5};

}  // namespace

TpmWorker::~TpmWorker() {
  // The TPM's last use, flushing its keys, happens on its own thread too.
  const auto closed = std::make_shared<std::promise<void>>();
  asio::post(state_->thread, [state = state_.get(), closed] {
    state->opened.reset();
    closed->set_value();
  });
  if (!lost_ && closed->get_future().wait_for(kPatienceAtTheEnd) == std::future_status::ready) {
    state_->thread.join();
    return;
  }
  // Joining would wait for a TPM that does not answer. The state must outlive the thread that uses it, so it is left to
  // the end of the process.
  static auto* const left_behind =
      new std::vector<std::shared_ptr<State>>();  // NOLINT(bugprone-unhandled-exception-at-new)
  left_behind->push_back(std::move(state_));
}

base::Awaitable<void> TpmWorker::open(std::string tcti) {
  throw_if_lost();
  auto open = [state = state_, tcti = std::move(tcti)] {
    state->opened = std::make_unique<Tpm>(Tpm::open(tcti));
    state->opened->pcr_banks();  // a TPM that opens but does not answer is no TPM
  };
  const auto on_timeout = [this] {
    give_up();
    return TpmError("failed to open TPM device: no answer in time", 0, base::Action::kReboot);
  };
  co_await base::run_blocking(state_->thread.get_executor(), deadline_, std::move(open), on_timeout);
}

void TpmWorker::release(std::shared_ptr<void> object) {
  asio::post(state_->thread, [dropped = std::move(object)]() mutable { dropped.reset(); });
}

void TpmWorker::throw_if_lost() const {
  if (lost_) throw TpmError("the TPM has stopped answering", 0);
}

TpmError TpmWorker::give_up() {
  lost_ = true;
  return {"the TPM did not answer in time", 0};
}

}  // namespace tpm
