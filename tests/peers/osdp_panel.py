"""The control panel of PyPI's `osdp`, run by build/osdp-peer's Python: prints what a reader says, one JSON a line.

osdp_panel.py PORT ADDRESS MASTER_KEY|-
"""

import json
import sys
import time

import osdp


class Panel(osdp.ControlPanel):
    def on_raw_card_data_reply_received(self, address, card):
        say(card=bytes(card.data).hex(), bits=card.bit_count, format=card.format_code.name)

    def on_keypad_data_reply_received(self, address, keys):
        say(keys=bytes(keys.data).decode())

    def on_local_status_report_reply_received(self, address, status):
        say(tamper=bool(status.tamper), power=bool(status.power_failure))


def say(**what):
    print(json.dumps(what), flush=True)


def main():
    port, address, key = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    panel = Panel(master_key=None if key == "-" else bytes.fromhex(key))
    bus = panel.start_connection(osdp.SerialPortOsdpConnection(port, 9600))
    panel.add_device(bus, address, use_crc=True, use_secure_channel=key != "-")
    try:
        was = None
        while True:
            time.sleep(0.1)
            device = next(iter(panel._buses.values()))._configured_devices[address]
            now = (bool(panel.is_online(bus, address)), bool(device.is_security_established))
            if now != was:
                say(online=now[0], secure=now[1])
                was = now
    except KeyboardInterrupt:
        panel.shutdown()


if __name__ == "__main__":
    main()
