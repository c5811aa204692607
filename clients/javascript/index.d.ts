import type { IncomingMessage, ServerResponse } from 'node:http';

export interface EnforcementOptions {
  /** The FHIR base as apps know it, the `aud` of their tokens. */
  base: string;
  /** The root URL of smartauth. */
  smartauth: string;
  /** Of the resource server, as `fhir-server add` printed them. */
  clientId: string;
  clientSecret: string;
  /** How long one question may take, with its second try: 3. */
  seconds?: number;
  /** How long its answer may be: 1,000,000. */
  maxAnswerBytes?: number;
  /**
   * How a search is narrowed before your server runs it. "patient" adds `patient=Patient/amy` (for Patient `_id=amy`),
   * "compartment" searches `Patient/amy/Observation`, "app" leaves it to your server, by `request.smartauth`.
   */
  narrow?: 'patient' | 'compartment' | 'app';
  /** Paths below the base that everybody may read, beside `metadata` and `.well-known/smart-configuration`. */
  public?: string[];
  /** Whether smartauth is told where the app's connection comes from. Only for one that is registered so. */
  tellsAddresses?: boolean;
  /** Whether your server is known to count what a narrowed search finds and nothing else. */
  trustsCounts?: boolean;
}

/** One FHIR base, and the smartauth that decides about it. */
export class Enforcement {
  constructor(options: EnforcementOptions);
  /** With what `fhir-server add --env` prints: FHIR_BASE, INTROSPECT, CLIENT_ID, CLIENT_SECRET. */
  static fromEnvironment(options?: Partial<EnforcementOptions>): Enforcement;
}

/**
 * Records of these patients, `null` for everybody, that meet each of `where`; or the one resource `own`. `isUnlisted`: they
 * are those of more patients than can be listed, and each must be asked about.
 */
export interface Alternative {
  readonly patients: readonly string[] | null;
  readonly own: string;
  readonly where: readonly (readonly [name: string, value: string])[];
  readonly isUnlisted: boolean;
}

/** Yes, for the records of `view`; `null` is a whole yes. */
export interface Decision {
  /** For each type, alternatives of which one must have a record; a type that is missing has none. */
  readonly view: ReadonlyMap<string, readonly Alternative[]> | null;
  /** Those of the token. */
  readonly claims: Readonly<Record<string, unknown>>;
}

declare module 'node:http' {
  interface IncomingMessage {
    /** What smartauth decided; undefined for what is open to everybody. */
    smartauth?: Decision;
  }
}

/** Lets nothing through that smartauth has not decided. Stands before body parsers and handlers. */
export function middleware(
  enforcement: Enforcement,
): (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;
