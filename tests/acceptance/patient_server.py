"""The command ``tocsin`` that waits for minutes until push services answer; for tests only.

So what hangs there still hangs when a test looks, and what came meanwhile did not wait for it.
"""

from tocsin.adapters.fcm import provider as fcm
from tocsin.adapters.webpush import provider as webpush
from tocsin.cli import main

CALL_S = 300.0
# Beside the patience of one call there is that of all.
SETTINGS = {"TOCSIN_OUTBOUND__TOTAL_S": str(CALL_S)}

if __name__ == "__main__":
    for module in (fcm, webpush):
        assert isinstance(module.CALL_S, float), "what this program lengthens has moved"
        vars(module)["CALL_S"] = CALL_S
    main()
