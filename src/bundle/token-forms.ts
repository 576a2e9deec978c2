/** What credentials of well-known services look like, as far as one can be told from other text. */
export interface TokenForm {
  readonly kind: string
  /** One of these is in every such token, and within its first part: a quick test before the expression is tried. */
  readonly hints: readonly string[]
  readonly pattern: RegExp
}

const form = (kind: string, hints: string, pattern: RegExp): TokenForm => ({ kind, hints: hints.split(' '), pattern })

export const privateKey: TokenForm = {
  kind: 'a private key',
  hints: ['PRIVATE KEY-----'],
  pattern: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:\r?\n|\\n)[A-Za-z0-9+/=\r\n\\:, -]{60}/g,
}

/** Prefixes and lengths as their makers give them out. */
export const tokenForms: readonly TokenForm[] = [
  // Models and what agents use.
  form('an Anthropic key', 'sk-ant-', /\bsk-ant-[\w-]{32,}/g),
  form('an OpenAI key', 'T3BlbkFJ', /\bsk-(?:proj-|svcacct-|admin-)?(?!ant-)[A-Za-z0-9_-]*T3BlbkFJ[A-Za-z0-9_-]{16,}/g),
  form('an OpenAI-style key', 'sk-', /\bsk-(?:proj-|or-v1-)?(?![A-Za-z0-9]*T3BlbkFJ)[A-Za-z0-9]{40,}\b/g),
  form('a Google API key', 'AIza', /\bAIza[\w-]{35}\b/g),
  form('a Hugging Face token', 'hf_', /\bhf_[A-Za-z]{34}\b/g),
  form('a Groq key', 'gsk_', /\bgsk_[A-Za-z0-9]{52}\b/g),
  form('an xAI key', 'xai-', /\bxai-[A-Za-z0-9]{70,}\b/g),
  form('a Perplexity key', 'pplx-', /\bpplx-[A-Za-z0-9]{48}\b/g),
  form('a Replicate token', 'r8_', /\br8_[A-Za-z0-9]{37}\b/g),
  form('a Tavily key', 'tvly-', /\btvly-(?:dev-|prod-)?[A-Za-z0-9]{32}\b/g),
  form('a Pinecone key', 'pcsk_', /\bpcsk_[A-Za-z0-9_]{60,}\b/g),
  form('a LangSmith key', 'lsv2_', /\blsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}\b/g),
  form('an ElevenLabs key', 'sk_', /\bsk_[0-9a-f]{48}\b/g),
  form('an E2B key', 'e2b_', /\be2b_[0-9a-f]{40}\b/g),
  form('a Qoder token', 'pt-', /\bpt-[A-Za-z0-9]{32,}\b/g),
  // Clouds and stores.
  form('an AWS access key', 'AKIA ASIA', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g),
  form('a DigitalOcean token', '_v1_', /\bdo[opr]_v1_[0-9a-f]{64}\b/g),
  form('a Databricks token', 'dapi', /\bdapi[0-9a-f]{32}\b/g),
  form('a Supabase token', 'sbp_', /\bsbp_[0-9a-f]{40}\b/g),
  form('a HashiCorp Vault token', 'hvs.', /\bhvs\.[\w-]{90,}/g),
  form('a Google OAuth secret', 'GOCSPX-', /\bGOCSPX-[\w-]{28}\b/g),
  form('a Docker Hub token', 'dckr_pat_', /\bdckr_pat_[\w-]{27}\b/g),
  form('an age key', 'AGE-SECRET-KEY-1', /\bAGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}\b/g),
  // Code and packages.
  form('a GitHub token', 'ghp_ gho_ ghu_ ghs_ ghr_', /\bgh[pousr]_[A-Za-z0-9]{36,255}\b/g),
  form('a GitHub token', 'github_pat_', /\bgithub_pat_[A-Za-z0-9_]{60,}\b/g),
  form('a GitLab token', 'glpat- gldt- glrt- glptt-', /\bgl(?:pat|dt|rt|ptt)-[\w-]{20,}/g),
  form('an npm token', 'npm_', /\bnpm_[A-Za-z0-9]{36}\b/g),
  form('a PyPI token', 'pypi-', /\bpypi-AgEIcHlwaS5vcmc[\w-]{50,}/g),
  // Work and money.
  form('a Slack token', 'xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-', /\bxox[abeoprs]-\d{8,}-[\w-]{16,}/g),
  form('a Slack token', 'xapp-', /\bxapp-\d-[A-Z0-9]{8,}-\d{8,}-[0-9a-f]{32,}\b/g),
  form('a Telegram bot token', ':AA', /\b\d{8,10}:AA[\w-]{33}\b/g),
  form('a Notion token', 'ntn_', /\bntn_\d{11}[A-Za-z0-9]{35}\b/g),
  form('a Linear key', 'lin_api_', /\blin_api_[A-Za-z0-9]{40}\b/g),
  form('an Atlassian token', 'ATATT3', /\bATATT3[\w=-]{100,}/g),
  form('a Shopify token', 'shpat_ shpca_ shppa_ shpss_', /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b/g),
  form('a Stripe live key', '_live_', /\b[rs]k_live_[A-Za-z0-9]{20,}\b/g),
  form('a SendGrid key', 'SG.', /\bSG\.[\w-]{22}\.[\w-]{43}\b/g),
  form('a Twilio key', 'SK', /\bSK[0-9a-f]{32}\b/g),
  // Watching.
  form('a Grafana token', 'glsa_', /\bglsa_[A-Za-z0-9]{32}_[0-9a-f]{8}\b/g),
  form('a New Relic key', 'NRAK-', /\bNRAK-[A-Z0-9]{27}\b/g),
  form('a Postman key', 'PMAK-', /\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b/g),
]
