import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// The built page lands inside the Python package, which serves it; nothing is loaded from elsewhere.
export default defineConfig({
  plugins: [svelte()],
  build: { outDir: '../src/insonate/app/static', emptyOutDir: true, assetsInlineLimit: 0, target: 'es2022' },
})
