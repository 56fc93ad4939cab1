/** The devices of the machine: a serial port, and a port that ends the run. */
import { writeSync } from "node:fs";

/** What the guest reaches with `in` and `out`, a byte at a time. */
export interface PortBus {
  /** The guest reads a port. */
  read(port: number): number;
  /** The guest writes a port. */
  write(port: number, value: number): void;
}

/** What nobody answers reads as ones. */
const FLOATING = 0xff;

// The 16550's registers (National Semiconductor PC16550D, table 1; linux/serial_reg.h)
const [DATA, INTERRUPT_ENABLE, INTERRUPT_ID, LINE_CONTROL, LINE_STATUS, MODEM_STATUS] = [
  ...[0, 1, 2, 3, 5, 6],
];
const FIFO_CONTROL = INTERRUPT_ID; // when written
/** Line control: the first two registers are the divisor. */
const DIVISOR_LATCH = 0x80;
/** Interrupt enable, FIFO control: the bit of each that matters here. */
const ENABLE_TRANSMITTER_EMPTY = 0x02;
const ENABLE_FIFO = 0x01;
/** Interrupt identification. */
const NO_INTERRUPT = 0x01;
const TRANSMITTER_EMPTY = 0x02;
const FIFOS_ENABLED = 0xc0;
/** Line status: holding register empty, transmitter idle. Always, since bytes leave at once. */
const IDLE = 0x60;
/** Modem status: carrier, data set ready, clear to send. */
const CONNECTED = 0xb0;

/** A 16550 that only sends. */
export class Serial {
  readonly #send: (byte: number) => void;
  readonly #interrupt: (level: boolean) => void;
  /** What is written is read back, unless it means something. */
  readonly #registers = new Uint8Array(8);
  #isPending = false;

  /**
   * Makes a serial port.
   *
   * @param send Takes each byte that the guest sends.
   * @param interrupt Sets the interrupt line; guests that poll need none.
   */
  constructor(send: (byte: number) => void, interrupt: (level: boolean) => void = () => {}) {
    this.#send = send;
    this.#interrupt = interrupt;
  }

  /** The guest reads a register. */
  read(register: number): number {
    if (this.#isDivisor(register)) return 0;
    switch (register) {
      case DATA:
        return 0; // nothing is ever received
      case INTERRUPT_ID: {
        const fifos = this.#registers[FIFO_CONTROL] & ENABLE_FIFO ? FIFOS_ENABLED : 0;
        const id = this.#isPending ? TRANSMITTER_EMPTY : NO_INTERRUPT;
        this.#setPending(false); // reading it acknowledges
        return fifos | id;
      }
      case LINE_STATUS:
        return IDLE;
      case MODEM_STATUS:
        return CONNECTED;
      default:
        return this.#registers[register];
    }
  }

  /** The guest writes a register. */
  write(register: number, value: number): void {
    if (this.#isDivisor(register)) return;
    const before = this.#registers[register];
    this.#registers[register] = value;
    const isEnabled = (this.#registers[INTERRUPT_ENABLE] & ENABLE_TRANSMITTER_EMPTY) !== 0;
    if (register === DATA) {
      this.#send(value);
      this.#setPending(isEnabled);
    }
    if (register === INTERRUPT_ENABLE && value !== before) this.#setPending(isEnabled);
  }

  #isDivisor(register: number): boolean {
    return register <= INTERRUPT_ENABLE && (this.#registers[LINE_CONTROL] & DIVISOR_LATCH) !== 0;
  }

  #setPending(isPending: boolean): void {
    if (isPending === this.#isPending) return;
    this.#isPending = isPending;
    this.#interrupt(isPending);
  }
}

/** The first serial port of a PC. */
const COM1 = 0x3f8;
/** Its interrupt. */
export const COM1_INTERRUPT = 4;
/** QEMU's isa-debug-exit, where our guests expect it. */
const DEBUG_EXIT = 0xf4;

/** The machine's ports. */
export class Ports implements PortBus {
  readonly #serial: Serial;
  /** What the guest wrote to the debug-exit port, once it has. */
  exitValue: number | undefined;

  constructor(serial: Serial) {
    this.#serial = serial;
  }

  read(port: number): number {
    return port >= COM1 && port < COM1 + 8 ? this.#serial.read(port - COM1) : FLOATING;
  }

  write(port: number, value: number): void {
    if (port >= COM1 && port < COM1 + 8) this.#serial.write(port - COM1, value);
    if (port === DEBUG_EXIT) this.exitValue = value;
  }
}

/**
 * Writes to a file descriptor, a line at a time: a system call for each byte takes longer than the
 * guest. Not a stream: those write when the event loop runs, and it does not.
 */
export class LineWriter {
  readonly #fd: number;
  readonly #bytes = new Uint8Array(4096);
  #length = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Takes a byte. */
  push(byte: number): void {
    this.#bytes[this.#length++] = byte;
    if (byte === 0x0a || this.#length === this.#bytes.length) this.flush();
  }

  /** Writes what is left of a line. */
  flush(): void {
    for (let done = 0; done < this.#length;) {
      done += writeSync(this.#fd, this.#bytes, done, this.#length - done);
    }
    this.#length = 0;
  }
}
