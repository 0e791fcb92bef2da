/** Where a command writes. */
export type Terminal = Readonly<{ stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream }>;
