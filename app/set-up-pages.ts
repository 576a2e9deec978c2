/** The pages of the set-up: plain HTML, no script but the one that is not there. Pure. */

export interface Asked {
  readonly organization: string
  readonly publicUrl: string
  readonly file: string
}

export function startPage(given: { asked: Asked; problem?: string | undefined }): string {
  const { asked, problem } = given
  return page(
    'Set up Agent Deploy',
    `<p>Nothing is configured yet. This page creates a GitHub App with exactly the permissions that Agent Deploy needs, and
keeps its credentials in a file that you name. It is only served to this machine.</p>
${problem ? `<p role="alert"><strong>${escape(problem)}</strong></p>` : ''}
<form method="post" action="/begin">
<p><label>Organization that owns the app (empty: your own account)<br><input name="organization" value="${escape(asked.organization)}"></label></p>
<p><label>Address at which GitHub reaches this server<br><input name="publicUrl" type="url" required placeholder="https://deploy.example.com" value="${escape(asked.publicUrl)}"></label></p>
<p><label>File for the credentials; it must not exist yet<br><input name="file" required value="${escape(asked.file)}"></label></p>
<p><button>Continue</button></p>
</form>`,
  )
}

/** GitHub takes the manifest as a form that the person's own browser sends. */
export function manifestPage(given: { action: string; manifest: object; file: string }): string {
  return page(
    'Create the app on GitHub',
    `<p>GitHub shows what the app may do, and asks for its name. Its credentials are then written to
<code>${escape(given.file)}</code>.</p>
<form method="post" action="${escape(given.action)}">
<input type="hidden" name="manifest" value="${escape(JSON.stringify(given.manifest))}">
<p><button>Create the GitHub App</button></p>
</form>`,
  )
}

export function donePage(given: { name: string; installUrl: string; file: string }): string {
  const file = escape(given.file)
  return page(
    `${given.name} was created`,
    `<ol>
<li><a href="${escape(given.installUrl)}">Install it</a> where your agents are.</li>
<li>Write <code>connections.yml</code>, as the README shows.</li>
<li>Start the server again: <code>node --env-file=${file} app/server.ts</code></li>
<li><code>node --env-file=${file} app/doctor.ts</code> says whether everything is right.</li>
</ol>`,
  )
}

export function problemPage(problem: string): string {
  return page('This did not work', `<p role="alert">${escape(problem)}</p><p><a href="/">Begin again</a></p>`)
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(title)}</title>
<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}input{width:100%;font:inherit}</style>
<h1>${escape(title)}</h1>${body}</html>`
}

function escape(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (character) => names[character] ?? character)
}
