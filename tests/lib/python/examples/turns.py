import asyncio
import websockets
import json
from openai import OpenAI

class CloudChatBot:
    """A chatbot that uses AI Server's RAG with cloud LLMs."""
    
    def __init__(self, provider="openai"):
        self.provider = provider
        self.history = []
        
        if provider == "openai":
            self.client = OpenAI()
            self.model = "gpt-4-turbo-preview"
        elif provider == "anthropic":
            from anthropic import Anthropic
            self.client = Anthropic()
            self.model = "claude-3-5-sonnet-20241022"
    
    async def get_rag_context(self, user_message: str):
        """Get RAG context from AI Server."""
        async with websockets.connect('ws://localhost:8000/api/cloud-chat') as ws:
            # Wait for ready
            while True:
                message = await ws.recv()
                data = json.loads(message)
                if "ready" in data['message'].lower():
                    break
            
            # Send request with conversation history
            await ws.send(json.dumps({
                "message": user_message,
                "history": self.history
            }))
            
            # Get context
            async for message in ws:
                data = json.loads(message)
                if data['type'] == 'result':
                    return data['data']
                elif data['type'] == 'error':
                    raise Exception(f"RAG error: {data['message']}")
    
    async def chat(self, user_message: str) -> str:
        """Send a message and get a response."""
        # Get RAG context
        context_data = await self.get_rag_context(user_message)
        
        # Build messages
        if self.provider == "openai":
            messages = [
                {"role": "system", "content": context_data['system_prompt']},
                {"role": "system", "content": f"Relevant files:\n{context_data['rag_context']}"}
            ]
            messages.extend(self.history)
            messages.append({"role": "user", "content": user_message})
            
            response = self.client.chat.completions.create(
                model=self.model,
                messages=messages
            )
            assistant_message = response.choices[0].message.content
        
        elif self.provider == "anthropic":
            system_prompt = f"{context_data['system_prompt']}\n\nRelevant files:\n{context_data['rag_context']}"
            messages = self.history.copy()
            messages.append({"role": "user", "content": user_message})
            
            response = self.client.messages.create(
                model=self.model,
                max_tokens=1024,
                system=system_prompt,
                messages=messages
            )
            assistant_message = response.content[0].text
        
        # Update history
        self.history.append({"role": "user", "content": user_message})
        self.history.append({"role": "assistant", "content": assistant_message})
        
        return assistant_message


# Usage example
async def main():
    bot = CloudChatBot(provider="openai")
    
    # Multi-turn conversation
    print("User: What photos do I have from 2024?")
    response1 = await bot.chat("What photos do I have from 2024?")
    print(f"Bot: {response1}\n")
    
    print("User: Show me the beach ones")
    response2 = await bot.chat("Show me the beach ones")
    print(f"Bot: {response2}\n")
    
    print("User: Which ones have sunsets?")
    response3 = await bot.chat("Which ones have sunsets?")
    print(f"Bot: {response3}")

asyncio.run(main())
