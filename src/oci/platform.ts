/** Platforms: operating system, architecture and variant, as Go and the OCI index name them. */

export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
  'os.version'?: string;
  'os.features'?: string[];
}
