/** The states as the gateway serves them: packages/contract/src/contract/states.json as a module. */
declare module "*/states.js" {
  const states: Record<string, { label: string; aliases: string[]; color: string }>;
  export default states;
}
